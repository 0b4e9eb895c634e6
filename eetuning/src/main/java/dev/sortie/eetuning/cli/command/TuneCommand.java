package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.AuditMixin;
import dev.sortie.eetuning.cli.option.RankMixin;
import dev.sortie.eetuning.cli.option.SelfDataMixin;
import dev.sortie.eetuning.cli.option.StartExitsMixin;
import dev.sortie.eetuning.cli.option.TrainingMixin;
import dev.sortie.eetuning.cli.option.TuneLossMixin;
import dev.sortie.eetuning.cli.option.TunedModelMixin;
import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.cli.view.MemoryView;
import dev.sortie.eetuning.cli.view.PeakMemoryByRank;
import dev.sortie.eetuning.cli.view.ScheduleView;
import dev.sortie.eetuning.cli.view.TrainingView;
import dev.sortie.eetuning.decode.single.KernelWarmUp;
import dev.sortie.eetuning.exit.ExitOutline;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.OutputFile;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.eetuning.plot.Svg;
import dev.sortie.eetuning.train.TrainingDefaults;
import dev.sortie.eetuning.train.audit.ReplayFolder;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StagePartitioning;
import dev.sortie.eetuning.train.stage.StageSplit;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.FeatureCache;
import dev.sortie.eetuning.train.tune.MiniatureTuning;
import dev.sortie.eetuning.train.tune.StagePlan;
import dev.sortie.eetuning.train.tune.TuneDryRun;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.eetuning.train.tune.TunePlacement;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.AvailableMemory;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelFiles;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.shard.ModelShard;
import dev.sortie.parallel.shard.ShardBuilder;
import dev.sortie.tensor.device.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Stage 2 of EE-Tuning. */
@Command(
    name = "tune",
    mixinStandardHelpOptions = true,
    description =
        "Tunes exits on text; the backbone stays frozen. Ctrl-C saves a "
            + "checkpoint; run the same command again to resume.")
public final class TuneCommand implements Callable<Integer>, AuditedCommand {
  /** More cannot be told apart in a picture. */
  private static final int PLOTTED_STEPS = 3;

  @Mixin private ComputeMixin compute;
  @Mixin private TunedModelMixin model;
  @Mixin private TrainingMixin training;
  @Mixin private SelfDataMixin self;
  @Mixin private StartExitsMixin start;
  @Mixin private TuneLossMixin loss;
  @Mixin private RankMixin ranks;
  @Mixin private AuditMixin audit;

  @Option(
      names = "--feature-cache",
      paramLabel = "DIR",
      description =
          "Cache the backbone's hidden states in this folder. Later epochs and "
              + "runs over the same data skip the backbone, with identical results; "
              + "batches of up to 16 tokens are not cached. For one rank, or with --dp "
              + "only.")
  private Path featureCache;

  @Option(
      names = "--gate-tokens",
      paramLabel = "N",
      defaultValue = "" + TrainingDefaults.GATE_TOKENS,
      description =
          "Number of tokens on which probes are fitted after tuning. Probes "
              + "predict whether an exit is worth evaluating and whether its draft head "
              + "covers the token. 0: no probes. Default: ${DEFAULT-VALUE}.")
  private int gateTokens;

  @Option(
      names = "--plot-schedule",
      paramLabel = "FILE.svg",
      description =
          "With --pp: plot the planned and the actual pipeline schedule of the " + "last steps.")
  private Path plotSchedule;

  @Option(
      names = "--json",
      description = "Print the result as JSON, on the last line of standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (!training.isSelfData()) {
      self.refuse();
    }
    LoopOptions loop = training.loop();
    TuneOptions options = checked();
    start.checkOut(training.out);
    training.checkOut(ExitsFile.DESCRIPTION, ExitsFile.TENSORS);
    if (training.dryRun) {
      showMemory(options);
      return 0;
    }
    AvailableMemory available = AvailableMemory.now(); // before another rank takes its own
    return ranks.run((groups, interrupt) -> tune(options, loop, groups, interrupt, available));
  }

  @Override
  public int replay(Replay replay) {
    TuneOptions options = checked();
    AvailableMemory available = AvailableMemory.now();
    return ranks.run(
        (groups, interrupt) -> {
          try (ReplayFolder folder = ReplayFolder.in(training.out, groups);
              Device device = compute.open(groups.neighbours())) {
            training.out = folder.path();
            return withTuner(
                options,
                groups,
                device,
                plan(options, groups, device, available, () -> {}),
                t -> {},
                () -> {},
                (tuner, m, data) ->
                    replay.run(
                        new StepWitness(
                            tuner, data, options.globalBatch(), device.kernels(), groups),
                        interrupt));
          }
        });
  }

  /** The options, if they can be those of a run. */
  private TuneOptions checked() {
    training.check();
    if (sampled()) {
      self.check(training, ranks.mesh());
    }
    if (gateTokens < 0) {
      throw new UsageException("--gate-tokens " + gateTokens + " must be 0 or more");
    }
    TuneOptions options = loss.options(training);
    options.checkReplicas(ranks.mesh().dp());
    if (featureCache != null && ranks.mesh().world() > ranks.mesh().dp()) {
      throw new UsageException(
          "--feature-cache "
              + featureCache
              + " needs the whole backbone on each rank; omit it, or omit --tp and --pp");
    }
    ranks.checkSequence(training.seqLen);
    ranks.split(); // a word that means nothing is refused before other ranks are waited for
    if (plotSchedule != null && ranks.mesh().pp() == 1) {
      throw new UsageException(
          "--plot-schedule " + plotSchedule + " draws a pipeline; give --pp 2 or more with it");
    }
    if (plotSchedule != null) {
      OutputFile.check("--plot-schedule", plotSchedule, training.out);
      OutputFile.requireKind("--plot-schedule", plotSchedule, Svg.BEGINNING);
    }
    return options;
  }

  private void showMemory(TuneOptions options) {
    try (ModelFiles files = model.open()) {
      MemoryView.show(memory(files, options), json);
    }
  }

  private TuneDryRun memory(ModelFiles files, TuneOptions options) {
    DecoderConfig config = files.config().decoder();
    Mesh mesh = ranks.mesh();
    List<ExitOutline> exits = start.outlines(config);
    loss.checkUsed(exits);
    StagePlan stages =
        new StagePlan(config, exits, options, training.seqLen, ranks.split(), mesh.pp());
    return new TuneDryRun(
        config,
        exits,
        options,
        training.seqLen,
        mesh,
        stages,
        ranks.isSequenceParallel(),
        training.asyncCheckpoints,
        at ->
            model.memory(
                files,
                new ModelShard(
                    mesh.tp(), at.tp(), n -> mesh.pp() == 1 || stages.needs(at.pp(), n))));
  }

  private int tune(
      TuneOptions options,
      LoopOptions loop,
      ProcessGroups groups,
      Interrupt interrupt,
      AvailableMemory available) {
    try (Device device = compute.open(groups.neighbours());
        OutputFolder folder = new OutputFolder(training.out);
        TrainingView view = new TrainingView("tune", training.steps, training.stepLog)) {
      TunedExits tuned =
          new TunedExits(
              model, training, start, gateTokens, ranks.isSequenceParallel(), device, view);
      TrainLoop.Outcome outcome =
          train(options, loop, groups, interrupt, available, device, folder, view, tuned);
      if (!outcome.finished()) {
        if (groups.leads()) {
          view.stopped(outcome);
        }
        return 1;
      }
      PeakMemoryByRank peaks = PeakMemoryByRank.of(groups);
      if (groups.leads()) {
        if (tuned.arePutTogether(groups)) {
          tuned.putTogether(options);
        }
        peaks.say(view);
        report(outcome, peaks);
      }
      return 0;
    }
  }

  /** Trains; rank 0 says how it goes and, if it holds all exits, writes them. */
  private TrainLoop.Outcome train(
      TuneOptions options,
      LoopOptions loop,
      ProcessGroups groups,
      Interrupt interrupt,
      AvailableMemory available,
      Device device,
      OutputFolder folder,
      TrainingView view,
      TunedExits tuned) {
    Runnable accepted =
        () -> {
          if (groups.leads()) {
            folder.open();
          }
        };
    StagePlan plan = plan(options, groups, device, available, accepted);
    if (groups.leads() && groups.mesh().pp() > 1) {
      plan.describe().forEach(view::say);
    }
    ScheduleView schedule = schedule(options, groups);
    return withTuner(
        options,
        groups,
        device,
        plan,
        schedule.trace(),
        accepted,
        (tuner, m, data) -> {
          TrainLoop.Listener listener = groups.leads() ? view : TrainLoop.Listener.NONE;
          TrainLoop.Outcome outcome =
              audit.run(
                  tuner,
                  data,
                  options.globalBatch(),
                  device.kernels(),
                  groups,
                  recorder ->
                      new TrainLoop(
                          tuner,
                          loop,
                          device.kernels(),
                          groups,
                          listener,
                          interrupt::wanted,
                          recorder),
                  view::say);
          if (plotSchedule != null && outcome.finished()) {
            schedule.draw(plotSchedule, plan::timeline);
          }
          if (groups.leads()) {
            view.plot(
                training.out.resolve("loss.svg"), outcome.history(), "Exits, while they are tuned");
          }
          if (outcome.finished() && !tuned.arePutTogether(groups)) {
            tuned.write(tuner, m, data, groups);
          }
          return outcome;
        });
  }

  /** What is done with a tuner, its model and its data. */
  @FunctionalInterface
  private interface TunerUse<T> {
    T with(ExitTuner tuner, LanguageModel m, DatasetSource data);
  }

  /**
   * Makes a tuner.
   *
   * @param accepted runs before anything is written to {@code --out}
   */
  private <T> T withTuner(
      TuneOptions options,
      ProcessGroups groups,
      Device device,
      StagePlan plan,
      Consumer<Timed> trace,
      Runnable accepted,
      TunerUse<T> use) {
    KernelWarmUp kernels = model.warmUp(new MiniatureTuning(plan.exits(), options), device);
    try (LanguageModel m = model(device, plan, groups, kernels);
        StartExitsMixin.Held held = start.hold(m, device)) {
      Exits exits = held.exits();
      options.check(m.config().decoder(), exits, training.seqLen);
      accepted.run();
      try (DatasetSource data = data(m, device, groups);
          FeatureCache cache = cache(m, exits, data, device, groups);
          ExitTuner tuner =
              new ExitTuner(
                  m, exits, options, data, device, placement(groups, plan, cache, trace))) {
        held.free(); // the tuner has copies
        kernels.await();
        return use.with(tuner, m, data);
      }
    }
  }

  private ScheduleView schedule(TuneOptions options, ProcessGroups groups) {
    int rounds = options.microBatches() / groups.mesh().dp();
    return new ScheduleView(Math.min(PLOTTED_STEPS, training.steps), rounds, 1, groups);
  }

  /** What this rank computes with of the backbone: some layers, or shares of their weights. */
  private LanguageModel model(
      Device device, StagePlan plan, ProcessGroups groups, KernelWarmUp kernels) {
    Predicate<String> needed =
        name -> groups.mesh().pp() == 1 || plan.needs(groups.coordinates().pp(), name);
    return model.load(
        device,
        c ->
            groups
                .tensorParallel()
                .<DecoderBuilder>map(g -> new ShardBuilder(g, ranks.isSequenceParallel(), needed))
                .orElseGet(() -> DecoderBuilder.part(needed)),
        !groups.leads(),
        kernels);
  }

  /**
   * Which layers and exits each stage has; refuses what does not fit in memory.
   *
   * @param accepted runs before measured costs of stages are written to {@code --out}
   */
  private StagePlan plan(
      TuneOptions options,
      ProcessGroups groups,
      Device device,
      AvailableMemory available,
      Runnable accepted) {
    try (ModelFiles files = model.open()) {
      memory(files, options).require(groups.coordinates(), available, groups.neighbours());
      if (groups.mesh().pp() > 1 && ranks.split().way() == StageSplit.Way.MEASURED) {
        accepted.run();
      }
      DecoderConfig config = files.config().decoder();
      return StagePlan.of(
          config,
          start.outlines(config),
          options,
          training.seqLen,
          new StagePartitioning(ranks.split(), training.out, groups, device));
    }
  }

  private static TunePlacement placement(
      ProcessGroups groups, StagePlan plan, FeatureCache cache, Consumer<Timed> trace) {
    TunePlacement placement = TunePlacement.on(groups).with(plan, trace);
    return cache == null ? placement : placement.with(cache);
  }

  /** Rank 0 makes the token file if there is none; the others wait for it. */
  private DatasetSource data(LanguageModel m, Device device, ProcessGroups groups) {
    return sampled()
        ? groups.firstOfRanks(() -> self.dataset(training, m, device, !groups.leads()))
        : groups.firstOfRanks(
            () -> training.dataset(m.tokenizer()), () -> training.madeDataset(m.tokenizer()));
  }

  private boolean sampled() {
    return training.isSelfData();
  }

  /** The cache, null where none is wanted. */
  private FeatureCache cache(
      LanguageModel m, Exits exits, DatasetSource data, Device device, ProcessGroups groups) {
    if (featureCache == null) {
      return null;
    }
    FeatureCache cache = FeatureCache.open(featureCache, m, data, exits, device.kernels(), groups);
    if (groups.leads()) {
      System.err.printf(
          Locale.ROOT,
          "feature cache %s: %,d MB when it is full%n",
          cache.folder(),
          cache.bytes() >> 20);
    }
    return cache;
  }

  private void report(TrainLoop.Outcome outcome, PeakMemoryByRank peaks) {
    String sha = Sha256.of(training.out.resolve(ExitsFile.TENSORS));
    if (json) {
      Map<String, Object> result = training.result(outcome, 1);
      peaks.addTo(result);
      result.put("exits_sha256", sha);
      audit.head().ifPresent(head -> result.put("audit_sha256", head));
      System.out.println(Json.compact(result));
    } else {
      System.out.println("exits written to " + training.out + " (sha256 " + sha + ")");
    }
  }
}
