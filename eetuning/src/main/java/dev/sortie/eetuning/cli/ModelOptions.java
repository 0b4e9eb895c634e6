package dev.sortie.eetuning.cli;

import dev.sortie.nn.model.LanguageModel;
import dev.sortie.nn.model.ModelFiles;
import dev.sortie.nn.model.ModelMemory;
import dev.sortie.nn.model.Precision;
import dev.sortie.tensor.Device;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options that name a model. */
final class ModelOptions {
  private static final long LARGE = 64 << 20;

  @Option(names = "--model", required = true, paramLabel = "M", description = ModelWord.HELP)
  private String model;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "How matrices are held: f32, bf16, or file (as stored, used in place). Default: ${DEFAULT-VALUE}.")
  private Precision precision;

  /** The folder or file. */
  Path path() {
    return ModelWord.path(model);
  }

  /** Loads it; of a large one it is said first what memory it takes. */
  LanguageModel load(Device device) {
    return load(model, precision, device);
  }

  /** The same for a model and a precision that other options name. */
  static LanguageModel load(String model, Precision precision, Device device) {
    Path path = ModelWord.path(model);
    ModelFiles files = ModelFiles.open(path);
    ModelMemory memory = ModelMemory.of(files, precision);
    if (memory.copied() + memory.inPlace() >= LARGE) {
      System.err.println(path.getFileName() + ": " + memory.describe());
    }
    return LanguageModel.load(files, precision, device);
  }
}
