package dev.sortie.eetuning.cli.command;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.cli.option.AuditMixin;
import dev.sortie.eetuning.cli.option.ContinuedModelMixin;
import dev.sortie.eetuning.cli.option.NewDecoderMixin;
import dev.sortie.eetuning.cli.option.NewTokenizerMixin;
import dev.sortie.eetuning.cli.option.PretrainExitsMixin;
import dev.sortie.eetuning.cli.option.PretrainScheduleMixin;
import dev.sortie.eetuning.cli.option.RankMixin;
import dev.sortie.eetuning.cli.option.TrainingMixin;
import dev.sortie.eetuning.cli.view.Interrupt;
import dev.sortie.eetuning.cli.view.MemoryView;
import dev.sortie.eetuning.cli.view.PeakMemoryByRank;
import dev.sortie.eetuning.cli.view.ScheduleView;
import dev.sortie.eetuning.cli.view.TrainingView;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.eetuning.train.audit.ReplayFolder;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.pretrain.PretrainDryRun;
import dev.sortie.eetuning.train.pretrain.PretrainLayout;
import dev.sortie.eetuning.train.pretrain.PretrainModel;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.PretrainPlacement;
import dev.sortie.eetuning.train.pretrain.PretrainPlan;
import dev.sortie.eetuning.train.pretrain.Pretrainer;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.StagePartitioning;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.load.AvailableMemory;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.ModelWriter;
import dev.sortie.nn.load.Precision;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.parallel.mesh.Mesh;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.IntSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a decoder from scratch, or continues the training of one. */
@Command(
    name = "pretrain",
    mixinStandardHelpOptions = true,
    description =
        "Trains a Llama-type decoder and its tokenizer from scratch, or continues the "
            + "training of a model, and writes a Hugging Face folder. It can train exits "
            + "too, and run on several ranks in a job started by launch.")
public final class PretrainCommand implements Callable<Integer>, AuditedCommand {
  @Mixin private ComputeMixin compute;
  @Mixin private TrainingMixin training;
  @Mixin private ContinuedModelMixin continued;
  @Mixin private NewDecoderMixin decoder;
  @Mixin private NewTokenizerMixin newTokenizer;
  @Mixin private RankMixin ranks;
  @Mixin private PretrainExitsMixin exits;
  @Mixin private PretrainScheduleMixin schedule;
  @Mixin private AuditMixin audit;

  @Option(
      names = "--dropout",
      paramLabel = "P",
      defaultValue = "0",
      description =
          "Dropout probability for the outputs of the backbone's embedding, "
              + "attention and MLPs. The dropped elements are the same under every "
              + "layout. Default: ${DEFAULT-VALUE}.")
  private double dropout;

  @Option(
      names = "--save",
      paramLabel = "TYPE",
      defaultValue = "BF16",
      description = "Type of the saved weights, BF16 or F32. Default: ${DEFAULT-VALUE}.")
  private DType save;

  @Option(names = "--json", description = "Print the result as JSON to standard output.")
  private boolean json;

  @Override
  public Integer call() {
    if (save != DType.BF16 && save != DType.F32) {
      throw new UsageException("--save " + save + ": take BF16 or F32");
    }
    newTokenizer.check();
    exits.check();
    LoopOptions loop = training.loop();
    PretrainOptions options = checked();
    training.checkOut("model.safetensors", "model.safetensors.index.json", "config.json");
    if (training.dryRun) {
      MemoryView.show(memory(options), json);
      return 0;
    }
    AvailableMemory available = AvailableMemory.now(); // before another rank takes its own
    return ranks.run(
        (groups, interrupt) -> {
          memory(options).require(groups.coordinates(), available, groups.neighbours());
          return train(options, loop, groups, interrupt);
        });
  }

  @Override
  public int replay(Replay replay) {
    PretrainOptions options = checked();
    return ranks.run(
        (groups, interrupt) -> {
          try (ReplayFolder folder = ReplayFolder.in(training.out, groups)) {
            training.out = folder.path();
            Tokenizer tokenizer = tokenizer(groups);
            try (Device device = compute.open(groups.neighbours());
                DatasetSource data = dataset(tokenizer, groups)) {
              return withTrainer(
                  config(tokenizer),
                  options,
                  data,
                  device,
                  groups,
                  (trainer, _, _) ->
                      replay.run(
                          new StepWitness(
                              trainer, data, options.globalBatch(), device.kernels(), groups),
                          interrupt));
            }
          }
        });
  }

  /** The options, if they can be those of a run; sizes are refused before anything is written. */
  private PretrainOptions checked() {
    training.check();
    PretrainOptions options =
        new PretrainOptions(
            training.microBatch,
            training.globalBatch(),
            training.schedule(),
            training.adamW(),
            training.seed,
            exits.exits(continued.model().map(m -> m.config().layers()).orElseGet(decoder::layers)),
            dropout,
            continued.model().map(ContinuedModelMixin.Continued::weights));
    checkRanks(options);
    return options;
  }

  private PretrainDryRun memory(PretrainOptions options) {
    return new PretrainDryRun(
        config(() -> newTokenizer.expected(training.out)),
        options,
        training.seqLen,
        ranks.mesh(),
        schedule.layout(),
        ranks.split(),
        ranks.isSequenceParallel(),
        training.asyncCheckpoints);
  }

  private void checkRanks(PretrainOptions options) {
    Mesh mesh = ranks.mesh();
    DecoderConfig config = config(newTokenizer::vocab);
    if (mesh.tp() > 1) {
      config.requireLayersUsedOnce("--tp " + mesh.tp());
    }
    ranks.checkSequence(training.seqLen);
    PretrainLayout layout = schedule.layout();
    layout.check(options, mesh);
    schedule.check(mesh.pp(), training.out);
    new PretrainPlan( // more chunks than layers are refused, and a split that does not fit
        config, options.exits().specs(), training.seqLen, layout.chain(mesh.pp()), ranks.split());
  }

  private int train(
      PretrainOptions options, LoopOptions loop, ProcessGroups groups, Interrupt interrupt) {
    try (OutputFolder folder = new OutputFolder(training.out)) {
      if (groups.leads()) {
        folder.open();
      }
      return trainInto(options, loop, groups, interrupt);
    }
  }

  private int trainInto(
      PretrainOptions options, LoopOptions loop, ProcessGroups groups, Interrupt interrupt) {
    Tokenizer tokenizer = tokenizer(groups);
    DecoderConfig config = config(tokenizer);
    try (Device device = compute.open(groups.neighbours());
        DatasetSource data = dataset(tokenizer, groups);
        TrainingView view = new TrainingView("pretrain", training.steps, training.stepLog)) {
      TrainLoop.Outcome outcome =
          train(config, options, loop, data, device, groups, interrupt, view);
      if (groups.leads()) {
        view.plot(training.out.resolve("loss.svg"), outcome.history(), "Pre-training");
      }
      if (!outcome.finished()) {
        if (groups.leads()) {
          view.stopped(outcome);
        }
        return 1;
      }
      PeakMemoryByRank peaks = PeakMemoryByRank.of(groups);
      if (groups.leads()) {
        Map<String, Object> hashes = write(config, options, tokenizer, data, device);
        peaks.say(view);
        if (json) {
          Map<String, Object> result = training.result(outcome, 50);
          peaks.addTo(result);
          result.putAll(hashes);
          audit.head().ifPresent(head -> result.put("audit_sha256", head));
          System.out.println(Json.compact(result));
        }
      }
      return 0;
    }
  }

  /** That of the model, or else rank 0 makes one, if there is none; the others wait for it. */
  private Tokenizer tokenizer(ProcessGroups groups) {
    if (continued.model().isPresent()) {
      return continued.model().get().tokenizer();
    }
    return groups.firstOfRanks(
        () -> newTokenizer.make(training.out, training.data()),
        () -> NewTokenizerMixin.made(training.out));
  }

  private DecoderConfig config(Tokenizer tokenizer) {
    return config(tokenizer::vocabSize);
  }

  /**
   * Of the model, or of a new one.
   *
   * @param vocab tokens of a new tokenizer
   */
  private DecoderConfig config(IntSupplier vocab) {
    return continued
        .model()
        .map(ContinuedModelMixin.Continued::config)
        .orElseGet(() -> decoder.config(vocab.getAsInt(), training.seqLen));
  }

  private DatasetSource dataset(Tokenizer tokenizer, ProcessGroups groups) {
    return groups.firstOfRanks(
        () -> training.dataset(tokenizer), () -> training.madeDataset(tokenizer));
  }

  private TrainLoop.Outcome train(
      DecoderConfig config,
      PretrainOptions options,
      LoopOptions loop,
      DatasetSource data,
      Device device,
      ProcessGroups groups,
      Interrupt interrupt,
      TrainingView view) {
    return withTrainer(
        config,
        options,
        data,
        device,
        groups,
        (trainer, plan, picture) -> {
          if (groups.leads()) {
            announce(trainer, data, groups, view);
            if (groups.mesh().pp() > 1) {
              plan.describe().forEach(view::say);
            }
          }
          TrainLoop.Listener listener = groups.leads() ? view : TrainLoop.Listener.NONE;
          TrainLoop.Outcome outcome =
              audit.run(
                  trainer,
                  data,
                  options.globalBatch(),
                  device.kernels(),
                  groups,
                  recorder ->
                      new TrainLoop(
                          trainer,
                          loop,
                          device.kernels(),
                          groups,
                          listener,
                          interrupt::wanted,
                          recorder),
                  view::say);
          Path plot = schedule.plot();
          if (plot != null && outcome.finished()) {
            TrainingSchedule order = schedule.layout().schedule();
            picture.draw(plot, (_, count, seconds) -> plan.timeline(order, count, seconds));
          }
          return outcome;
        });
  }

  private void announce(
      Pretrainer trainer, DatasetSource data, ProcessGroups groups, TrainingView view) {
    view.say(
        "%,d parameters%s, %,d windows of %d tokens per epoch"
            .formatted(
                trainer.parameterCount(),
                groups.mesh().tp() > 1 ? " on this rank" : "",
                data.trainingWindows(),
                training.seqLen));
  }

  /** What is done with a trainer, its plan, and what draws its schedule. */
  @FunctionalInterface
  private interface TrainerUse<T> {
    T with(Pretrainer trainer, PretrainPlan plan, ScheduleView picture);
  }

  private <T> T withTrainer(
      DecoderConfig config,
      PretrainOptions options,
      DatasetSource data,
      Device device,
      ProcessGroups groups,
      TrainerUse<T> use) {
    PretrainLayout layout = schedule.layout();
    PretrainPlan plan =
        PretrainPlan.of(
            config,
            options,
            training.seqLen,
            layout.chain(groups.mesh().pp()),
            new StagePartitioning(ranks.split(), training.out, groups, device));
    int rounds = options.microBatches() / groups.mesh().dp();
    ScheduleView picture = new ScheduleView(1, rounds, layout.chunks(), groups);
    PretrainPlacement placement =
        PretrainPlacement.on(groups, ranks.isSequenceParallel(), layout)
            .with(plan, picture.trace());
    try (Pretrainer trainer = new Pretrainer(config, options, data, device, placement)) {
      return use.with(trainer, plan, picture);
    }
  }

  /** Writes the settings of a new model; its tokenizer is there. */
  private void writeConfig(DecoderConfig config, Tokenizer tokenizer) {
    OptionalInt end = tokenizer.id(NewTokenizerMixin.END);
    List<Integer> ends = end.isPresent() ? List.of(end.getAsInt()) : List.of();
    HfConfigWriter.write(
        training.out.resolve("config.json"), new HfConfig(config, end, ends, Optional.of(save)));
  }

  /**
   * Writes the model, and its exits, from the last checkpoint, where they are whole however many
   * ranks trained them.
   *
   * @return hashes of the weight files, for {@code --json}
   */
  private Map<String, Object> write(
      DecoderConfig config,
      PretrainOptions options,
      Tokenizer tokenizer,
      DatasetSource data,
      Device device) {
    Path out = training.out;
    Map<String, Object> hashes = new LinkedHashMap<>();
    try (NativeArena arena = new NativeArena("finished model")) {
      PretrainModel finished =
          PretrainModel.finished(out, config, options.exits(), arena, device.kernels());
      ModelWriter.write(out, finished.decoder(), save, device.kernels());
      continued
          .model()
          .ifPresentOrElse(m -> m.writeSettings(out, save), () -> writeConfig(config, tokenizer));
      hashes.put("model_sha256", Sha256.of(out.resolve("model.safetensors")));
      if (!finished.exits().isEmpty()) {
        Map<String, Object> tuning = new LinkedHashMap<>(options.describe());
        tuning.put("seq_len", training.seqLen);
        tuning.put("data", data.fingerprint());
        try (LanguageModel model = LanguageModel.load(out, Precision.F32, device)) {
          ExitsFile.write(out, new Exits(model.sha256(), tuning, finished.exits()), model);
        }
        hashes.put("exits_sha256", Sha256.of(out.resolve(ExitsFile.TENSORS)));
      }
    }
    return hashes;
  }
}
