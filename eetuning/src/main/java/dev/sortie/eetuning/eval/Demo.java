package dev.sortie.eetuning.eval;

import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.host.Folders;
import dev.sortie.eetuning.host.Machine;
import dev.sortie.eetuning.plot.LossPlot;
import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.data.ParallelSampler;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.FeatureCache;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.eetuning.train.tune.TunePlacement;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * The whole main job on one small model: exits at 1/4, 1/2 and 3/4 depth, tuned to the final
 * layer's distribution on text that the model itself has sampled, then a sweep of thresholds
 * against the unmodified backbone in the same run.
 */
public final class Demo {
  /**
   * Words that sentences begin with: each row of sampled text starts with the first token of one.
   */
  private static final List<String> OPENINGS =
      List.of(
          "The", "Once", "When", "In", "A", "There", "He", "She", "But", "And", "One", "It", "So",
          "Then", "They", "Now");

  /**
   * Batches take turns: free text has the variety that exits must learn, cool text is nearer to the
   * greedy decoding that they will meet.
   */
  private static final List<Double> TEMPERATURES = List.of(0.8, 0.4);

  private static final int ROWS = OPENINGS.size();

  private final LanguageModel model;
  private final Device device;
  private final Settings settings;
  private final Listener listener;

  /**
   * How much work the demo is.
   *
   * @param textBatches batches of 16 sampled windows to tune on
   * @param window tokens per window
   * @param architecture of the exits
   * @param draftTokens tokens that the head of an exit covers; 0 is all
   * @param ready folder of exits that are decoded with for comparison
   * @param steps tuning steps of 8 windows
   * @param sweep the sweep
   * @param seed of everything
   */
  public record Settings(
      int textBatches,
      int window,
      ExitArchitecture architecture,
      int draftTokens,
      Path ready,
      int steps,
      Sweep.Settings sweep,
      long seed) {}

  /** Is told of progress. */
  public interface Listener {
    /** A phase begins; {@code units} are the counts that {@link #progress} will reach. */
    void phase(String name, long units);

    /** {@code done} units of the phase are done. */
    void progress(long done, String detail);
  }

  /** A demo. */
  public Demo(LanguageModel model, Device device, Settings settings, Listener listener) {
    this.model = model;
    this.device = device;
    this.settings = settings;
    this.listener = listener;
  }

  /**
   * Runs it.
   *
   * @param name of the model, for the report
   * @param out folder for the exits and the checkpoints of their tuning
   */
  public DemoResults run(String name, Path out) {
    int[][] text = sampleText();
    try (NativeArena arena = new NativeArena("demo")) {
      Tuned tuned = tune(text, out, arena);
      Exits ready = ExitsReader.of(model).read(settings.ready(), arena, device.kernels());
      Sweep sweep = new Sweep(model, tuned.exits, ready, device, settings.sweep());
      listener.phase("sweep", sweep.units());
      Sweep.Result result = sweep.run(listener::progress);
      listener.phase("write stories", settings.sweep().thresholds().size());
      List<DemoSample> samples = sweep.samples(done -> listener.progress(done, ""));
      var c = model.config().decoder();
      SequencedMap<Integer, List<LossPlot.Point>> losses = new LinkedHashMap<>();
      tuned
          .history
          .losses()
          .forEach((exit, list) -> losses.put(Integer.valueOf(exit), LossPlot.Point.series(list)));
      SequencedMap<Integer, Double> validation = new LinkedHashMap<>();
      tuned
          .history
          .lastValidation()
          .forEach((exit, loss) -> validation.put(Integer.valueOf(exit), loss));
      return new DemoResults(
          name,
          c.layers(),
          c.hidden(),
          c.vocab(),
          model.decoder().parameterCount(),
          result.fullDepthTokensPerSecond(),
          result.points(),
          losses,
          validation,
          samples,
          Machine.detect(device.kernels().name()));
    }
  }

  private record Tuned(Exits exits, LossHistory history) {}

  /** Windows of {@code T + 1} tokens that the model samples, each from the beginning of a text. */
  private int[][] sampleText() {
    int length = settings.window() + 1;
    listener.phase("sample text from the model", (long) settings.textBatches() * length);
    int[] first = OPENINGS.stream().mapToInt(word -> model.tokenizer().encode(word)[0]).toArray();
    List<int[]> rows = new ArrayList<>();
    for (int i = 0; i < settings.textBatches(); i++) {
      long before = (long) i * length;
      double temperature = TEMPERATURES.get(i % TEMPERATURES.size());
      ParallelSampler sampler =
          new ParallelSampler(
              model.decoder(),
              new SamplingOptions(temperature, 0, 1, 0, 1, settings.seed()),
              device);
      rows.addAll(
          List.of(sampler.sample(first, length, i, done -> listener.progress(before + done, ""))));
    }
    return rows.toArray(int[][]::new);
  }

  /** The exits go to {@code out/exits}; hidden states lie in {@code out/features} meanwhile. */
  private Tuned tune(int[][] text, Path out, NativeArena arena) {
    Path folder = out.resolve("exits");
    Path features = out.resolve("features");
    listener.phase("tune the exits", settings.steps());
    Folders.delete(features); // those of a run that was killed
    try {
      LossHistory history = tune(initial(arena), text, folder, features);
      return new Tuned(ExitsReader.of(model).read(folder, arena, device.kernels()), history);
    } finally {
      Folders.delete(features);
    }
  }

  private Exits initial(NativeArena arena) {
    int layers = model.config().decoder().layers();
    List<Exit> list =
        Stream.of(layers / 4, layers / 2, 3 * layers / 4)
            .distinct()
            .map(d -> new ExitSpec(d, settings.architecture(), true, settings.draftTokens()))
            .map(
                s ->
                    ExitInit.COPY.build(
                        s, model.decoder(), settings.seed(), arena, device.kernels()))
            .toList();
    return new Exits(model.sha256(), Map.of(), list);
  }

  private LossHistory tune(Exits start, int[][] text, Path folder, Path features) {
    Schedule schedule =
        new Schedule(1e-3, 1e-4, settings.steps() / 20, settings.steps(), Schedule.Decay.COSINE);
    TuneOptions options =
        new TuneOptions(
            Objective.KL, false, Map.of(), 8, 8, schedule, AdamW.Options.DEFAULT, settings.seed());
    RowsSource data = new RowsSource(text, ROWS, settings.seed());
    LoopOptions loop = new LoopOptions(folder, settings.steps(), 100, settings.steps());
    ProcessGroups groups = ProcessGroups.single();
    try (FeatureCache cache =
            FeatureCache.open(features, model, data, start, device.kernels(), groups);
        ExitTuner tuner =
            new ExitTuner(
                model, start, options, data, device, TunePlacement.on(groups).with(cache))) {
      LossHistory history =
          new TrainLoop(tuner, loop, device.kernels(), new TuneProgress(), () -> false)
              .run()
              .history();
      ExitsFile.write(folder, tuner.exits(options.describe()), model);
      return history;
    }
  }

  /** Hands the loop's progress on. */
  private final class TuneProgress implements TrainLoop.Listener {
    @Override
    public void resumed(int step) {
      listener.progress(step, "resumed");
    }

    @Override
    public void step(int done, Map<String, Double> losses, double tokensPerSecond) {
      StringBuilder s = new StringBuilder("loss");
      losses.forEach(
          (exit, loss) -> s.append(String.format(java.util.Locale.ROOT, " %s: %.3f", exit, loss)));
      listener.progress(
          done,
          s.append(String.format(java.util.Locale.ROOT, "  %,.0f tok/s", tokensPerSecond))
              .toString());
    }

    @Override
    public void validated(int done, Map<String, Double> losses) {
      // shown in the report
    }
  }
}
