package dev.sortie.eetuning.cli.option;

import dev.sortie.nn.load.Precision;
import picocli.CommandLine.Option;

/**
 * The frozen backbone of a command that trains on it. Every step takes thousands of tokens through
 * it, so its matrices are decoded once, to F32.
 */
public final class TunedModel extends ModelOptions {
  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description =
          "How the backbone's matrices are held: copied to f32, decoded once and not in each step;"
              + " file (the file's own types, used in place), the same bits in less memory and more"
              + " time; or bf16, which rounds weights that have more. Exits, gradients and all"
              + " arithmetic are F32. Default: ${DEFAULT-VALUE}.")
  private Precision precision;

  @Override
  Precision precision() {
    return precision;
  }
}
