package dev.sortie.benchmarks;

import dev.sortie.nn.UsageException;

/** Refuses numbers that an option cannot have. */
final class Ranges {
  private Ranges() {}

  /** Both bounds are allowed. */
  static void check(String option, int value, int from, int to) {
    if (value < from || value > to) {
      throw new UsageException(option + " " + value + " is outside " + from + " to " + to);
    }
  }
}
