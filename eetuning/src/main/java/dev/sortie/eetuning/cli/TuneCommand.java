package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.Folders;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.train.DatasetSource;
import dev.sortie.eetuning.train.ExitTuner;
import dev.sortie.eetuning.train.LoopOptions;
import dev.sortie.eetuning.train.Objective;
import dev.sortie.eetuning.train.TrainLoop;
import dev.sortie.eetuning.train.TuneOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Json;
import dev.sortie.nn.format.Sha256;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
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
  @Mixin private ComputeOptions compute;
  @Mixin private ModelOptions model;
  @Mixin private TrainingOptions training;

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

  @Option(names = "--json", description = "The result as JSON, the last line of standard output.")
  private boolean json;

  @Override
  public Integer call() {
    LoopOptions loop = training.loop();
    training.check();
    TuneOptions options =
        new TuneOptions(
            Objective.of(objective),
            isConfidence(),
            exitWeights,
            training.microBatch,
            training.globalBatch(),
            training.schedule(),
            training.adamW(),
            training.seed);
    if (Files.exists(training.out) && sameFolder(training.out, exitsFolder)) {
      throw new InputException(
          "--out "
              + training.out
              + " is the folder of --exits; the exits to begin with stay as they are, give another folder");
    }
    try (Interrupt interrupt = new Interrupt();
        Device device = compute.open();
        LanguageModel m = model.load(device)) {
      try (NativeArena arena = new NativeArena("exits")) {
        ExitTuner.check(m, start(m, arena, device), options, training.seqLen);
      }
      Folders.create(training.out);
      try (DatasetSource data = training.dataset(m.tokenizer());
          ExitTuner tuner = tuner(m, options, data, device);
          TrainingView view = new TrainingView("tune", training.steps)) {
        TrainLoop.Outcome outcome =
            new TrainLoop(tuner, loop, device.kernels(), view, interrupt::wanted).run();
        view.plot(
            training.out.resolve("loss.svg"), outcome.history(), "Loss of each exit, nats a token");
        if (!outcome.finished()) {
          view.stopped(outcome);
          return 1;
        }
        Map<String, Object> tuning = new LinkedHashMap<>(options.describe());
        tuning.put("seq_len", training.seqLen);
        tuning.put("data", data.fingerprint());
        ExitsFile.write(training.out, tuner.exits(tuning), m);
        view.say(PeakMemory.now().describe());
        report(outcome);
      }
    }
    return 0;
  }

  private Exits start(LanguageModel m, NativeArena arena, Device device) {
    Exits start = ExitsFile.read(exitsFolder, m, arena, device.kernels());
    if (start.exits().isEmpty()) {
      throw new InputException(exitsFolder + " holds no exits; make some with add-exits");
    }
    return start;
  }

  /** The tuner copies the exits that it begins with, so those are not held any longer. */
  private ExitTuner tuner(LanguageModel m, TuneOptions options, DatasetSource data, Device device) {
    try (NativeArena arena = new NativeArena("exits")) {
      return new ExitTuner(m, start(m, arena, device), options, data, device);
    }
  }

  private void report(TrainLoop.Outcome outcome) {
    String sha = Sha256.of(training.out.resolve(ExitsFile.TENSORS));
    if (json) {
      Map<String, Object> result = training.result(outcome, 1);
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
