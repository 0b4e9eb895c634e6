package dev.sortie.benchmarks;

import dev.sortie.eetuning.cli.base.ComputeMixin;
import dev.sortie.eetuning.host.EmbeddedFolder;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of all benchmarks of a model. */
class MeasuredModelMixin {
  @Mixin private ComputeMixin compute;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "M",
      description = "A model's folder or file, or the word fable.")
  private String model;

  @Option(names = "--json", description = "The result as one JSON object.")
  private boolean json;

  /** Where to compute. */
  ComputeMixin compute() {
    return compute;
  }

  /** The model as it was named. */
  String model() {
    return model;
  }

  /** Its folder or file. */
  Path path() {
    return model.equals("fable") ? EmbeddedFolder.FABLE.path() : Path.of(model);
  }

  /** Whether the result is printed as JSON. */
  boolean json() {
    return json;
  }
}
