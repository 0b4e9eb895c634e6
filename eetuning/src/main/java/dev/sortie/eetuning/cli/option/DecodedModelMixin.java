package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.load.Arithmetic;
import picocli.CommandLine.Option;

/** The model of a command that decodes or scores with it, and in which arithmetic. */
public final class DecodedModelMixin extends UsedModelMixin {
  /** What exact arithmetic is. */
  public static final String EXACT =
      "Use F32 arithmetic for quantised weights. By default, those with levels "
          + "of up to 6 bits are repacked at load time and multiplied in 16-bit "
          + "integers: faster, with activations rounded to about 9 bits. Other "
          + "weights always use F32.";

  @Option(names = "--exact", description = EXACT)
  private boolean exact;

  @Override
  Arithmetic arithmetic() {
    return exact ? Arithmetic.EXACT : Arithmetic.INTEGER;
  }
}
