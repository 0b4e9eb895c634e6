package dev.sortie.benchmarks;

import dev.sortie.nn.InputException;
import dev.sortie.nn.model.Precision;

/** The words of {@code --dtype}. */
final class DtypeWord {
  private DtypeWord() {}

  static Precision precision(String word) {
    for (Precision p : Precision.values()) {
      if (p.name().equalsIgnoreCase(word)) {
        return p;
      }
    }
    throw new InputException("--dtype '" + word + "' is unknown; take f32, bf16 or file");
  }
}
