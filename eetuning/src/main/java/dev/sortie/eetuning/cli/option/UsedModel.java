package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.load.Precision;
import picocli.CommandLine.Option;

/**
 * The model of a command that decodes, scores or reads it. Its matrices stay as the file has them:
 * nothing is copied, and a quantised model takes no more memory than its file.
 */
public final class UsedModel extends ModelOptions {
  /** How matrices are held, as {@code --dtype} says. */
  public static final String DTYPE =
      "How matrices are held: file (the file's own types, used in place), or copied to bf16 or f32."
          + " All arithmetic is F32: file and f32 give the same bits, bf16 rounds weights that have"
          + " more. Default: ${DEFAULT-VALUE}.";

  @Option(names = "--dtype", paramLabel = "TYPE", defaultValue = "file", description = DTYPE)
  private Precision precision;

  @Override
  Precision precision() {
    return precision;
  }
}
