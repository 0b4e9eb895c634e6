package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.data.RowsSource;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.StepRecorder;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.FinishedExits;
import dev.sortie.eetuning.train.tune.LookaheadOptions;
import dev.sortie.eetuning.train.tune.Objective;
import dev.sortie.eetuning.train.tune.StagePlan;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.eetuning.train.tune.TunePlacement;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Tuning of a tiny model: every rank loads the model and makes the exits. With the objective {@code
 * KL} checkpoints are written during the next steps.
 *
 * @param model folder of the model, of at least three layers
 * @param exits folder of the exits to begin with
 * @param objective what exits learn
 * @param sequence whether ranks that share weights share out the tokens too; gates are then left
 *     out
 * @param steps of the whole run
 * @param trace learns of what the stages of a pipeline do
 */
public record TinyTuning(
    Path model, Path exits, Objective objective, boolean sequence, int steps, Consumer<Timed> trace)
    implements TinyTraining {
  /** The first of {@link #words}. */
  static final String WORD = "tune";

  private static final int LENGTH = 20;
  private static final int MICRO = 2;
  private static final int GLOBAL = 8;
  private static final int DRAFT = 40;
  private static final int GATE_TOKENS = 200;

  TinyTuning(Path model, Path exits, Objective objective, Consumer<Timed> trace) {
    this(model, exits, objective, false, STEPS, trace);
  }

  /** What {@link #words} say but for the first. */
  static TinyTuning of(List<String> words) {
    return new TinyTuning(
        Path.of(words.get(0)),
        Path.of(words.get(1)),
        Objective.valueOf(words.get(2)),
        Boolean.parseBoolean(words.get(3)),
        Integer.parseInt(words.get(4)),
        t -> {});
  }

  @Override
  public List<String> words() {
    return List.of(
        WORD,
        model.toString(),
        exits.toString(),
        objective.name(),
        String.valueOf(sequence),
        String.valueOf(steps));
  }

  @Override
  public String sha256(Path out) {
    return Sha256.of(out.resolve(ExitsFile.TENSORS));
  }

  @Override
  public Result rank(Path out, ProcessGroups groups, int stopAt, Hook hook) {
    try (groups;
        Device device = Device.cpu(1)) {
      TrainLoop.Outcome outcome = train(out, groups, stopAt, hook, device);
      if (!groups.leads() || !outcome.finished()) {
        return new Result("", outcome);
      }
      if (groups.mesh().pp() > 1) {
        putTogether(out, device);
      }
      return new Result(sha256(out), outcome);
    } catch (RuntimeException e) {
      groups.abort(e.getMessage());
      throw e;
    }
  }

  private TrainLoop.Outcome train(
      Path out, ProcessGroups groups, int stopAt, Hook hook, Device device) {
    return onTuner(
        groups,
        device,
        (tuner, loaded, witness) -> {
          StopAfter stop = TinyTraining.stop(groups, stopAt, hook);
          // those of one objective write checkpoints during the next steps
          boolean async = objective == Objective.KL;
          LoopOptions loop = new LoopOptions(out, steps, steps / 3, steps / 2, 2, async);
          StepRecorder recorder = hook.recorder(witness);
          TrainLoop.Outcome outcome =
              new TrainLoop(tuner, loop, device.kernels(), groups, stop, stop, recorder).run();
          if (outcome.finished() && groups.mesh().pp() == 1 && groups.coordinates().dp() == 0) {
            Map<String, Object> notes = tuner.describe();
            Exits tuned = sequence ? tuner.exits(notes) : tuner.gated(notes, GATE_TOKENS);
            if (groups.leads()) {
              ExitsFile.write(out, tuned, loaded);
            } else {
              ExitsFile.contribute(tuned, loaded);
            }
          }
          return outcome;
        });
  }

  @Override
  public <T> T onJob(ProcessGroups groups, Function<StepWitness, T> use) {
    try (Device device = Device.cpu(1)) {
      return onTuner(groups, device, (_, _, witness) -> use.apply(witness));
    }
  }

  /** What is done with a tuner. */
  private interface TunerUse<T> {
    T with(ExitTuner tuner, LanguageModel loaded, StepWitness witness);
  }

  private <T> T onTuner(ProcessGroups groups, Device device, TunerUse<T> use) {
    try (LanguageModel loaded = load(groups, device);
        NativeArena arena = new NativeArena("test")) {
      Exits start = ExitsReader.of(loaded).exact().read(exits, arena, device.kernels());
      TokenSource data = data(loaded);
      StagePlan plan = StagePlan.counted(loaded, start, options(), data.length(), groups);
      try (ExitTuner tuner =
          new ExitTuner(
              loaded, start, options(), data, device, TunePlacement.on(groups).with(plan, trace))) {
        return use.with(
            tuner, loaded, new StepWitness(tuner, data, GLOBAL, device.kernels(), groups));
      }
    }
  }

  /** Who holds what, of so many stages. */
  StagePlan plan(DecoderConfig config, int stages) {
    return new StagePlan(config, ExitsFile.outlines(exits, config), options(), LENGTH, stages);
  }

  private LanguageModel load(ProcessGroups groups, Device device) {
    ModelFiles files = ModelFiles.open(model);
    DecoderConfig config = files.config().decoder();
    StagePlan plan = plan(config, groups.mesh().pp());
    Predicate<String> needed =
        name -> groups.mesh().pp() == 1 || plan.needs(groups.coordinates().pp(), name);
    DecoderBuilder builder =
        groups
            .tensorParallel()
            .<DecoderBuilder>map(group -> new ShardBuilder(group, sequence, needed))
            .orElseGet(() -> DecoderBuilder.part(needed));
    return LanguageModel.load(files, Precision.F32, device, builder);
  }

  private void putTogether(Path out, Device device) {
    try (LanguageModel whole = LanguageModel.load(model, Precision.F32, device);
        NativeArena arena = new NativeArena("test")) {
      Exits start = ExitsReader.of(whole).exact().read(exits, arena, device.kernels());
      FinishedExits finished = new FinishedExits(whole, start, data(whole), device);
      Exits read = finished.read(out, arena);
      Exits tuned = sequence ? read : finished.gated(read, GATE_TOKENS, arena);
      ExitsFile.write(out, tuned, whole);
    }
  }

  /**
   * Writes exits to begin with.
   *
   * @param lookahead whether there is a lookahead exit among them
   */
  static void writeExits(Path model, Path to, boolean lookahead) {
    List<ExitSpec> specs =
        List.of(
            new ExitSpec(1, ExitArchitecture.MLP, true, 0),
            new ExitSpec(2, ExitArchitecture.LAYER, true, DRAFT),
            new ExitSpec(3, ExitArchitecture.NORM, true, 0));
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("test");
        LanguageModel loaded = LanguageModel.load(model, Precision.F32, device)) {
      var decoder = loaded.decoder();
      var kernels = device.kernels();
      ExitsFile.write(
          to,
          new Exits(
              loaded.sha256(),
              Map.of(),
              specs.stream().map(s -> ExitInit.COPY.build(s, decoder, 7, arena, kernels)).toList(),
              lookahead
                  ? Optional.of(
                      ExitInit.COPY.lookahead(List.of(), false, DRAFT, decoder, 7, arena, kernels))
                  : Optional.empty()),
          loaded);
    }
  }

  private TuneOptions options() {
    return new TuneOptions(
        objective,
        true,
        Map.of(2, 0.5),
        MICRO,
        GLOBAL,
        new Schedule(2e-3, 2e-4, 2, steps, Schedule.Decay.COSINE),
        AdamW.Options.DEFAULT,
        5,
        new LookaheadOptions(2, 0.1));
  }

  private static RowsSource data(LanguageModel loaded) {
    return counting(loaded.config().decoder().vocab(), LENGTH, 5);
  }

  /**
   * Rows that count: something to learn.
   *
   * @param heldOut an odd number, so that their last micro-batch is not full
   */
  public static RowsSource counting(int vocab, int length, int heldOut) {
    Random random = new Random(2, 0);
    int[][] rows =
        IntStream.range(0, 40)
            .mapToObj(
                i ->
                    IntStream.range(0, length + 1)
                        .map(t -> (random.below(i, vocab) + t * (1 + i % 3)) % vocab)
                        .toArray())
            .toArray(int[][]::new);
    return new RowsSource(rows, heldOut, 3);
  }
}
