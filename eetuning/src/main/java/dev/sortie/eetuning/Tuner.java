package dev.sortie.eetuning;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.exit.ExitInit;
import dev.sortie.eetuning.exit.ExitSpec;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.OutputFolder;
import dev.sortie.eetuning.train.TrainingDefaults;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.eetuning.train.data.DatasetSource;
import dev.sortie.eetuning.train.loop.LoopOptions;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.tune.ExitTuner;
import dev.sortie.eetuning.train.tune.TuneOptions;
import dev.sortie.eetuning.train.tune.TuningMetadata;
import dev.sortie.nn.InputException;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * EE-Tuning: adds exits to a model and trains them on texts. The model itself is frozen. The result
 * has the bytes of the commands {@code add-exits} and {@code tune} on one rank. Weights in
 * quantised blocks are decoded in every step; for long runs load the model with {@link
 * dev.sortie.nn.load.Precision#F32}.
 */
public final class Tuner {
  private final Model model;
  private final TunerOptions options;

  Tuner(Model model, TunerOptions options) {
    this.model = model;
    this.options = options;
  }

  /**
   * Tunes exits and writes them to {@code out}. Other threads wait for the model until it is done,
   * so a listener must not wait for a thread that uses it.
   *
   * @param texts UTF-8 files, each one document
   * @param out folder of the run; with the same options and texts, a run whose process ended is
   *     resumed
   * @param listener gets the losses; an exception that it throws ends the run
   * @return the exits, ready for decoding; their memory is freed with the model
   * @throws InputException if a text cannot be used or is too short, an exit cannot be placed at
   *     its depth, or training diverges
   */
  public Exits tune(List<Path> texts, Path out, TrainLoop.Listener listener) {
    return model.inTurn(() -> train(texts, out, listener));
  }

  /** Tunes exits without a listener. */
  public Exits tune(List<Path> texts, Path out) {
    return tune(texts, out, TrainLoop.Listener.NONE);
  }

  private Exits train(List<Path> texts, Path out, TrainLoop.Listener listener) {
    LanguageModel m = model.languageModel();
    Device device = model.device();
    try (NativeArena arena = new NativeArena("new exits");
        OutputFolder folder = new OutputFolder(out)) {
      Exits start = new Exits(m.sha256(), Map.of(), newExits(m, arena, device));
      TuneOptions tuning = tuning();
      tuning.check(m.config().decoder(), start, options.length());
      folder.open();
      LoopOptions loop =
          new LoopOptions(
              out,
              options.steps(),
              TrainingDefaults.CHECKPOINT_EVERY,
              TrainingDefaults.VALIDATE_EVERY);
      try (DatasetSource data =
              DatasetSource.build(
                  m.tokenizer(),
                  texts,
                  out.resolve("tokens.bin"),
                  Checkpoints.begun(out),
                  options.length(),
                  options.heldOut(),
                  options.seed());
          ExitTuner tuner = new ExitTuner(m, start, tuning, data, device)) {
        new TrainLoop(tuner, loop, device.kernels(), listener, () -> false).run();
        Map<String, Object> noted = TuningMetadata.withData(tuner.describe(), data);
        ExitsFile.write(
            out,
            options.gateTokens() == 0
                ? tuner.exits(noted)
                : tuner.gated(noted, options.gateTokens()),
            m);
      }
    }
    return model.exits(out);
  }

  private List<Exit> newExits(LanguageModel m, NativeArena arena, Device device) {
    return options.depths().stream()
        .map(depth -> new ExitSpec(depth, options.architecture(), true))
        .map(
            spec -> ExitInit.COPY.build(spec, m.decoder(), options.seed(), arena, device.kernels()))
        .toList();
  }

  private TuneOptions tuning() {
    double peak = options.learningRate();
    int steps = options.steps();
    return new TuneOptions(
        options.objective(),
        false,
        Map.of(),
        options.batch(),
        options.batch(),
        new Schedule(
            peak,
            TrainingDefaults.floor(peak),
            TrainingDefaults.warmup(steps),
            steps,
            Schedule.Decay.COSINE),
        AdamW.Options.DEFAULT,
        options.seed());
  }
}
