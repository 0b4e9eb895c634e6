package dev.sortie.eetuning.decode.edge;

import dev.sortie.nn.load.LanguageModel;

/** What the bits of a process's results depend on, as far as it is not the model's file. */
final class Computation {
  private Computation() {}

  /** Kernel set, type of matrices and arithmetic, in words. */
  static String of(LanguageModel m) {
    return "%s %s %s".formatted(m.device().kernels().name(), m.matrixType(), m.arithmetic().word());
  }
}
