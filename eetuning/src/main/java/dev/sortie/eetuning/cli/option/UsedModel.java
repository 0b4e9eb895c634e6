package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.load.Precision;
import picocli.CommandLine.Option;

/**
 * The model of a command that reads it, or computes with it ({@link DecodedModel}). Its matrices
 * stay as the file has them: nothing is copied, and a quantised model takes no more memory than its
 * file.
 */
public sealed class UsedModel extends ModelOptions permits DecodedModel {
  /** How matrices are held, as {@code --dtype} says. */
  public static final String DTYPE =
      "How matrices are held: file (the file's own types, used in place), or copied to bf16 or f32."
          + " file (exactly, where it has weights in blocks: with --exact) and f32 give the same bits,"
          + " bf16 rounds weights that have more. Default: ${DEFAULT-VALUE}.";

  @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "file", description = DTYPE)
  private Precision precision;

  @Override
  Precision precision() {
    return precision;
  }
}
