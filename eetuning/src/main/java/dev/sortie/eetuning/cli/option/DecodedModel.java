package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.load.Arithmetic;
import picocli.CommandLine.Option;

/** The model of a command that decodes or scores with it, and in which arithmetic. */
public final class DecodedModel extends UsedModel {
  /** What exact arithmetic is. */
  public static final String EXACT =
      "Multiply in F32 with weights in quantised blocks. Without it, products of up to 16 rows, as"
          + " decoding has them, are computed in 16-bit integers from weights that are repacked when"
          + " the model is loaded: several times as fast, with x rounded to some 9 bits. Other"
          + " weights are multiplied in F32 always.";

  @Option(names = "--exact", description = EXACT)
  private boolean exact;

  @Override
  Arithmetic arithmetic() {
    return exact ? Arithmetic.EXACT : Arithmetic.INTEGER;
  }
}
