package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.ExitArchitecture;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.data.TokenSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.StepRecorder;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.pretrain.PretrainExits;
import dev.sortie.eetuning.train.pretrain.PretrainLayout;
import dev.sortie.eetuning.train.pretrain.PretrainModel;
import dev.sortie.eetuning.train.pretrain.PretrainOptions;
import dev.sortie.eetuning.train.pretrain.PretrainPlacement;
import dev.sortie.eetuning.train.pretrain.Pretrainer;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.parallel.pipeline.TrainingSchedule;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Training of a tiny decoder from scratch.
 *
 * @param model what is trained
 * @param layout how stages take turns
 * @param sequence whether ranks that share weights share out the tokens too
 * @param steps of the whole run
 * @param async whether checkpoints are written during the next steps
 */
record TinyPretraining(
    Model model, PretrainLayout layout, boolean sequence, int steps, boolean async)
    implements TinyTraining {
  /** The first of {@link #words}. */
  static final String WORD = "pretrain";

  private static final int LENGTH = 12;
  private static final int MICRO = 2;
  private static final int GLOBAL = 8;
  private static final int VOCAB = 61;

  /** What is trained. */
  enum Model {
    PLAIN(true, PretrainExits.NONE, 0),
    /** Heads of three kinds; two exits share the matrix of embedding and head. */
    TIED(true, exits(), 0),
    /** The exits share the head, the embedding is another matrix. */
    UNTIED(false, exits(), 0),
    /** {@link #TIED} with dropout. */
    DROPPING(true, exits(), 0.1);

    private final DecoderConfig config;
    private final PretrainExits exits;
    private final double dropout;

    Model(boolean tied, PretrainExits exits, double dropout) {
      this.config =
          new DecoderConfig(
              4, 16, 4, 2, 4, 24, VOCAB, LENGTH, 1e-5, 10000, false, false, false, tied);
      this.exits = exits;
      this.dropout = dropout;
    }

    private static PretrainExits exits() {
      List<ExitSpec> specs =
          List.of(
              new ExitSpec(1, ExitArchitecture.MLP, true),
              new ExitSpec(2, ExitArchitecture.NORM, false),
              new ExitSpec(3, ExitArchitecture.LAYER, false));
      return PretrainExits.of(specs, Map.of(2, 0.5), 0.25, 0.1, 3, Schedule.Decay.COSINE);
    }
  }

  /** With the usual schedule, each step waiting for its checkpoint. */
  TinyPretraining(Model model, int steps) {
    this(model, PretrainLayout.USUAL, false, steps, false);
  }

  TinyPretraining with(PretrainLayout other) {
    return new TinyPretraining(model, other, sequence, steps, async);
  }

  TinyPretraining sharingTokens(boolean share) {
    return new TinyPretraining(model, layout, share, steps, async);
  }

  TinyPretraining savingAsync() {
    return new TinyPretraining(model, layout, sequence, steps, true);
  }

  /** What {@link #words} say but for the first. */
  static TinyPretraining of(List<String> words) {
    return new TinyPretraining(
        Model.valueOf(words.get(0)),
        new PretrainLayout(TrainingSchedule.valueOf(words.get(1)), Integer.parseInt(words.get(2))),
        Boolean.parseBoolean(words.get(3)),
        Integer.parseInt(words.get(4)),
        Boolean.parseBoolean(words.get(5)));
  }

  @Override
  public List<String> words() {
    return List.of(
        WORD,
        model.name(),
        layout.schedule().name(),
        String.valueOf(layout.chunks()),
        String.valueOf(sequence),
        String.valueOf(steps),
        String.valueOf(async));
  }

  PretrainOptions options() {
    return new PretrainOptions(
            MICRO,
            GLOBAL,
            new Schedule(1e-2, 1e-3, 2, steps, Schedule.Decay.COSINE),
            AdamW.Options.DEFAULT,
            5)
        .withExits(model.exits)
        .withDropout(model.dropout);
  }

  /** Of all weights in the last checkpoint. */
  @Override
  public String sha256(Path out) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("finished")) {
      Sha256 sha = new Sha256();
      PretrainModel.finished(out, model.config, model.exits, arena, device.kernels())
          .parameters()
          .values()
          .forEach(t -> sha.update(t.span()));
      return sha.hex();
    }
  }

  @Override
  public Result rank(Path out, ProcessGroups groups, int stopAt, Hook hook) {
    try (groups) {
      TrainLoop.Outcome outcome = train(out, groups, stopAt, hook);
      return new Result(groups.leads() && outcome.finished() ? sha256(out) : "", outcome);
    } catch (RuntimeException e) {
      groups.abort(e.getMessage());
      throw e;
    }
  }

  private TrainLoop.Outcome train(Path out, ProcessGroups groups, int stopAt, Hook hook) {
    return onTrainer(
        groups,
        (trainer, witness, device) -> {
          StopAfter stop = TinyTraining.stop(groups, stopAt, hook);
          LoopOptions loop = new LoopOptions(out, steps, 2, 3, 2, async);
          StepRecorder recorder = hook.recorder(witness);
          return new TrainLoop(trainer, loop, device.kernels(), groups, stop, stop, recorder).run();
        });
  }

  @Override
  public <T> T onJob(ProcessGroups groups, Function<StepWitness, T> use) {
    return onTrainer(groups, (_, witness, _) -> use.apply(witness));
  }

  /** What is done with a trainer. */
  private interface TrainerUse<T> {
    T with(Pretrainer trainer, StepWitness witness, Device device);
  }

  private <T> T onTrainer(ProcessGroups groups, TrainerUse<T> use) {
    TokenSource data = TinyTuning.counting(VOCAB, LENGTH, 7);
    try (Device device = Device.cpu(1);
        Pretrainer trainer =
            new Pretrainer(
                model.config,
                options(),
                data,
                device,
                PretrainPlacement.on(groups, sequence, layout))) {
      return use.with(
          trainer, new StepWitness(trainer, data, GLOBAL, device.kernels(), groups), device);
    }
  }
}
