package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.Folders;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.train.DatasetSource;
import dev.sortie.eetuning.train.ExitTuner;
import dev.sortie.eetuning.train.FeatureCache;
import dev.sortie.eetuning.train.FinishedExits;
import dev.sortie.eetuning.train.LookaheadOptions;
import dev.sortie.eetuning.train.LoopOptions;
import dev.sortie.eetuning.train.Objective;
import dev.sortie.eetuning.train.ScheduleTrace;
import dev.sortie.eetuning.train.SelfText;
import dev.sortie.eetuning.train.StagePlan;
import dev.sortie.eetuning.train.Team;
import dev.sortie.eetuning.train.TrainLoop;
import dev.sortie.eetuning.train.TuneOptions;
import dev.sortie.eetuning.train.TuningNotes;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.ModelFiles;
import dev.sortie.parallel.shard.ShareBuilder;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Stage 2 of EE-Tuning. */
@Command(
    name = "tune",
    mixinStandardHelpOptions = true,
    description =
        "Tunes exits on text while the backbone stays frozen. Ctrl-C saves; the same command goes on from there.")
final class TuneCommand implements Callable<Integer> {
  /** More cannot be told apart in a picture. */
  private static final int PLOTTED_STEPS = 3;

  @Mixin private ComputeOptions compute;
  @Mixin private ModelOptions model;
  @Mixin private TrainingOptions training;
  @Mixin private SelfData self;
  @Mixin private RankOptions ranks;

  @Option(
      names = "--exits",
      required = true,
      paramLabel = "DIR",
      description = "Exits to begin with; not changed.")
  private Path exitsFolder;

  @Option(
      names = "--objective",
      paramLabel = "WORD",
      defaultValue = "ce",
      description =
          "ce: the next token; kl: the final layer's distribution. Default: ${DEFAULT-VALUE}.")
  private String objective;

  @Option(
      names = "--token-weights",
      paramLabel = "WORD",
      defaultValue = "equal",
      description =
          "equal, or confidence: each token weighs as much as the exit is sure of it. Default: ${DEFAULT-VALUE}.")
  private String tokenWeights;

  @Option(
      names = "--exit-weight",
      paramLabel = "DEPTH=X",
      description = "Factor on the loss of an exit; may be repeated.")
  private Map<Integer, Double> exitWeights = new LinkedHashMap<>();

  @Option(
      names = "--feature-cache",
      paramLabel = "DIR",
      description =
          "Keep the backbone's hidden states on disk here: later epochs and runs over the same data leave the backbone out, with the same bits. On one rank, or with --dp alone.")
  private Path featureCache;

  @Option(
      names = "--gate-tokens",
      paramLabel = "N",
      defaultValue = "16384",
      description =
          "Tokens of text to which probes are fitted after tuning: whether an exit is worth evaluating, and whether its draft head covers the token. 0: none. Default: ${DEFAULT-VALUE}.")
  private int gateTokens;

  @Option(
      names = "--lookahead-unroll",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "Tokens that a lookahead exit is trained to look ahead, each from its own state before. Default: ${DEFAULT-VALUE}.")
  private int unroll;

  @Option(
      names = "--lookahead-hidden",
      paramLabel = "X",
      defaultValue = "0",
      description =
          "Factor on the distance of a lookahead exit's states from the true hidden states. Default: ${DEFAULT-VALUE}.")
  private double hiddenWeight;

  @Option(
      names = "--plot-schedule",
      paramLabel = "FILE.svg",
      description =
          "With --pp: draw what each stage did when in the last steps, below what was planned.")
  private Path plotSchedule;

  @Option(names = "--json", description = "The result as JSON, the last line of standard output.")
  private boolean json;

  @Override
  public Integer call() {
    LoopOptions loop = training.loop();
    training.check();
    if (sampled()) {
      self.settings(training.data, training.seed);
    }
    if (gateTokens < 0) {
      throw new InputException("--gate-tokens " + gateTokens + " must be 0 or more");
    }
    TuneOptions options =
        new TuneOptions(
            Objective.of(objective),
            isConfidence(),
            exitWeights,
            training.microBatch,
            training.globalBatch(),
            training.schedule(),
            training.adamW(),
            training.seed,
            new LookaheadOptions(unroll, hiddenWeight));
    if (Files.exists(training.out) && sameFolder(training.out, exitsFolder)) {
      throw new InputException(
          "--out "
              + training.out
              + " is the folder of --exits; the exits to begin with stay as they are, give another folder");
    }
    options.checkReplicas(ranks.mesh().dp());
    if (featureCache != null && ranks.mesh().world() > ranks.mesh().dp()) {
      throw new InputException(
          "--feature-cache "
              + featureCache
              + " is for ranks that have the whole backbone; leave it out, or --tp and --pp");
    }
    if (sampled() && ranks.mesh().tp() > 1) {
      throw new InputException(
          "--data self samples from a whole model, of which each rank of --tp "
              + ranks.mesh().tp()
              + " holds a share; take the token file that a run without --tp has named");
    }
    checkSequenceParallel();
    ranks.split(); // a word that means nothing is refused before other ranks are waited for
    if (sampled() && ranks.mesh().pp() > 1) {
      throw new InputException(
          "--data self samples from the whole model, of which each rank of --pp "
              + ranks.mesh().pp()
              + " holds a part; take the token file that a run without --pp has named");
    }
    if (plotSchedule != null && ranks.mesh().pp() == 1) {
      throw new InputException(
          "--plot-schedule " + plotSchedule + " draws a pipeline; give --pp 2 or more with it");
    }
    if (training.dryRun) {
      MemoryView.show(
          model,
          exitsFolder,
          options,
          training.seqLen,
          ranks.mesh(),
          ranks.isSequenceParallel(),
          training.asyncCheckpoints,
          json);
      return 0;
    }
    try (Interrupt interrupt = new Interrupt();
        Team team = ranks.join()) {
      try {
        return tune(options, loop, team, interrupt);
      } catch (RuntimeException e) {
        team.abort(String.valueOf(e.getMessage()));
        throw e;
      }
    }
  }

  private void checkSequenceParallel() {
    if (!ranks.isSequenceParallel()) {
      return;
    }
    int tp = ranks.mesh().tp();
    if (tp == 1 || training.seqLen % tp != 0) {
      throw new InputException(
          "--sequence-parallel with --tp %d and --seq-len %d: take --tp 2 or more, and a length that is a multiple of it"
              .formatted(tp, training.seqLen));
    }
  }

  private int tune(TuneOptions options, LoopOptions loop, Team team, Interrupt interrupt) {
    try (Device device = compute.open(team.neighbours());
        TrainingView view = new TrainingView("tune", training.steps)) {
      TrainLoop.Outcome outcome = train(options, loop, team, interrupt, device, view);
      if (!outcome.finished()) {
        if (team.leads()) {
          view.stopped(outcome);
        }
        return 1;
      }
      List<Long> peaks = team.gather(PeakMemory.now().bytes());
      if (team.leads()) {
        if (isPutTogether(team)) {
          putTogether(options, device, view);
        }
        view.say(PeakMemory.now().describe());
        if (peaks.size() > 1) {
          view.say(PeakMemory.describe(peaks));
        }
        report(outcome, peaks);
      }
      return 0;
    }
  }

  /** Trains; rank 0 says how it goes and, if it holds all exits, writes them. */
  private TrainLoop.Outcome train(
      TuneOptions options,
      LoopOptions loop,
      Team team,
      Interrupt interrupt,
      Device device,
      TrainingView view) {
    StagePlan plan = plan(options, team, device);
    if (team.leads() && team.mesh().pp() > 1) {
      plan.describe().forEach(view::say);
    }
    try (LanguageModel m = model(device, plan, team)) {
      try (NativeArena arena = new NativeArena("exits")) {
        ExitTuner.check(m, start(m, arena, device), options, training.seqLen);
      }
      Folders.create(training.out);
      ScheduleView schedule = schedule(options, team);
      try (DatasetSource data = data(m, device, team);
          FeatureCache cache = cache(m, data, device, team);
          ExitTuner tuner = tuner(m, options, data, device, team, plan, cache, schedule.trace())) {
        TrainLoop.Listener listener = team.leads() ? view : TrainLoop.Listener.NONE;
        TrainLoop.Outcome outcome =
            new TrainLoop(tuner, loop, device.kernels(), team, listener, interrupt::wanted).run();
        if (plotSchedule != null && outcome.finished()) {
          schedule.draw(plotSchedule, plan::timeline);
        }
        if (team.leads()) {
          view.plot(
              training.out.resolve("loss.svg"),
              outcome.history(),
              "Loss of each exit, nats a token");
        }
        // of ranks that share the exits, all put them together and the first one writes
        if (outcome.finished() && !isPutTogether(team) && team.place().dp() == 0) {
          Map<String, Object> tuning = noted(tuner.describe(), data);
          Exits exits = gateTokens == 0 ? tuner.exits(tuning) : tuner.gated(tuning, gateTokens);
          if (team.leads()) {
            write(exits, m, view);
          } else {
            ExitsFile.contribute(exits, m);
          }
        }
        return outcome;
      }
    }
  }

  private ScheduleView schedule(TuneOptions options, Team team) {
    int rounds = options.microBatches() / team.mesh().dp();
    return new ScheduleView(Math.min(PLOTTED_STEPS, training.steps), rounds, 1, team);
  }

  /** What this rank computes with of the backbone: some layers, or shares of their weights. */
  private LanguageModel model(Device device, StagePlan plan, Team team) {
    Predicate<String> needed = name -> team.mesh().pp() == 1 || plan.needs(team.place().pp(), name);
    return model.load(
        device,
        c ->
            team.shares()
                .<DecoderBuilder>map(g -> new ShareBuilder(g, ranks.isSequenceParallel(), needed))
                .orElseGet(() -> DecoderBuilder.part(needed)),
        !team.leads());
  }

  /** Which layers and exits each stage has. */
  private StagePlan plan(TuneOptions options, Team team, Device device) {
    try (ModelFiles files = model.open()) {
      DecoderConfig config = files.config().decoder();
      return StagePlan.of(
          config,
          ExitsFile.outlines(exitsFolder, config),
          options,
          training.seqLen,
          ranks.split(),
          training.out,
          team,
          device);
    }
  }

  /**
   * Whether rank 0 reads the exits from the last checkpoint: no rank of a pipeline holds them all,
   * and gates need all layers, and the tokens beside each other. Ranks that share whole layers fit
   * gates together; without gates reading takes less memory than to put shares together.
   */
  private boolean isPutTogether(Team team) {
    return team.mesh().pp() > 1
        || ranks.isSequenceParallel()
        || team.mesh().tp() > 1 && gateTokens == 0;
  }

  /** Writes the exits of a job of which no rank computes with all layers and tokens. */
  private void putTogether(TuneOptions options, Device device, TrainingView view) {
    try (LanguageModel m =
            gateTokens == 0
                ? model.loadUnread(device)
                : model.load(device, DecoderBuilder.WHOLE, true);
        DatasetSource data = training.madeDataset(m.tokenizer());
        NativeArena arena = new NativeArena("exits")) {
      FinishedExits finished = new FinishedExits(m, start(m, arena, device), data, device);
      Exits exits = finished.read(training.out, arena);
      Map<String, Object> tuning =
          noted(TuningNotes.of(options, exits, data, m.config().decoder()), data);
      Exits tuned = new Exits(exits.backboneSha256(), tuning, exits.exits(), exits.lookahead());
      write(gateTokens == 0 ? tuned : finished.gated(tuned, gateTokens, arena), m, view);
    }
  }

  private Map<String, Object> noted(Map<String, Object> description, DatasetSource data) {
    Map<String, Object> tuning = new LinkedHashMap<>(description);
    tuning.put("seq_len", training.seqLen);
    tuning.put("data", data.fingerprint());
    return tuning;
  }

  private void write(Exits tuned, LanguageModel m, TrainingView view) {
    ExitsFile.write(training.out, tuned, m);
    GateTable.print(tuned, view::say);
  }

  private Exits start(LanguageModel m, NativeArena arena, Device device) {
    Exits start = ExitsFile.readExact(exitsFolder, m, arena, device.kernels());
    if (start.exits().isEmpty() && start.lookahead().isEmpty()) {
      throw new InputException(exitsFolder + " holds no exits; make some with add-exits");
    }
    return start;
  }

  /** The tuner copies the exits that it begins with, so those are not held any longer. */
  private ExitTuner tuner(
      LanguageModel m,
      TuneOptions options,
      DatasetSource data,
      Device device,
      Team team,
      StagePlan plan,
      FeatureCache cache,
      ScheduleTrace trace) {
    try (NativeArena arena = new NativeArena("exits")) {
      Exits start = start(m, arena, device);
      return cache == null
          ? new ExitTuner(m, start, options, data, device, team, plan, trace)
          : new ExitTuner(m, start, options, data, device, team, cache);
    }
  }

  /** Rank 0 makes the token file if there is none; the others wait for it. */
  private DatasetSource data(LanguageModel m, Device device, Team team) {
    return team.firstOfRanks(
        () -> sampled() ? sampled(m, device, team) : training.dataset(m.tokenizer()),
        () -> sampled() ? sampled(m, device, team) : training.madeDataset(m.tokenizer()));
  }

  private boolean sampled() {
    return SelfData.isWanted(training.data);
  }

  private DatasetSource sampled(LanguageModel m, Device device, Team team) {
    SelfText.Settings settings = self.settings(training.data, training.seed);
    Path file = self.file(settings, m, device, !team.leads());
    return training.tokens(file, m.config().decoder().vocab());
  }

  /** The cache, null where none is wanted. */
  private FeatureCache cache(LanguageModel m, DatasetSource data, Device device, Team team) {
    if (featureCache == null) {
      return null;
    }
    try (NativeArena arena = new NativeArena("exits")) {
      FeatureCache cache =
          FeatureCache.open(featureCache, m, data, start(m, arena, device), device.kernels(), team);
      if (team.leads()) {
        System.err.printf(
            Locale.ROOT,
            "feature cache %s: %,d MB when it is full%n",
            cache.folder(),
            cache.bytes() >> 20);
      }
      return cache;
    }
  }

  private void report(TrainLoop.Outcome outcome, List<Long> peaks) {
    String sha = Sha256.of(training.out.resolve(ExitsFile.TENSORS));
    if (json) {
      Map<String, Object> result = training.result(outcome, 1);
      if (peaks.size() > 1) {
        result.put("peak_resident_bytes_by_rank", peaks);
      }
      result.put("exits_sha256", sha);
      System.out.println(Json.compact(result));
    } else {
      System.out.println("exits written to " + training.out + " (sha256 " + sha + ")");
    }
  }

  private boolean isConfidence() {
    return switch (tokenWeights) {
      case "equal" -> false;
      case "confidence" -> true;
      default ->
          throw new InputException(
              "--token-weights '" + tokenWeights + "' is unknown; take equal or confidence");
    };
  }

  private static boolean sameFolder(Path a, Path b) {
    return a.toAbsolutePath().normalize().equals(b.toAbsolutePath().normalize());
  }
}
