package dev.sortie.benchmarks;

import dev.sortie.nn.load.Arithmetic;
import picocli.CommandLine.Option;

/** The arithmetic of products with weights in quantised blocks. */
final class ArithmeticMixin {
  @Option(
      names = "--exact",
      description =
          "Multiply in F32 with weights in quantised blocks, not in 16-bit integers from weights"
              + " that are repacked at load.")
  private boolean exact;

  /** What was chosen. */
  Arithmetic arithmetic() {
    return exact ? Arithmetic.EXACT : Arithmetic.INTEGER;
  }
}
