package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.load.Precision;
import picocli.CommandLine.Option;

/**
 * The model of a command that reads it, or computes with it ({@link DecodedModelMixin}). Its
 * matrices stay as the file has them: nothing is copied, and a quantised model takes no more memory
 * than its file.
 */
public sealed class UsedModelMixin extends ModelMixin permits DecodedModelMixin {
  /** How matrices are held, as {@code --dtype} says. */
  public static final String DTYPE =
      "Type of the matrices in memory: file (the file's own types, used in "
          + "place), or converted to bf16 or f32. file and f32 give identical "
          + "results (for quantised weights with --exact); bf16 rounds weights of "
          + "higher precision. Default: ${DEFAULT-VALUE}.";

  @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "file", description = DTYPE)
  private Precision precision;

  @Override
  Precision precision() {
    return precision;
  }
}
