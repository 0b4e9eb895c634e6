package dev.sortie.eetuning.eval;

import java.util.Objects;

/** Checks for result records: a wrong figure stops where it arises, not in a reader's report. */
final class ResultChecks {
  private ResultChecks() {}

  static void present(String name, Object value) {
    Objects.requireNonNull(value, name + " is missing");
  }

  static void text(String name, String value) {
    present(name, value);
    require(!value.isBlank(), name + " is blank, expected a text");
  }

  static void atLeast(String name, long value, long least) {
    require(value >= least, name + " is " + value + ", expected at least " + least);
  }

  static void finite(String name, double value) {
    require(Double.isFinite(value), name + " is " + value + ", expected a finite number");
  }

  static void positive(String name, double value) {
    require(
        Double.isFinite(value) && value > 0, name + " is " + value + ", expected a number above 0");
  }

  static void share(String name, double value) {
    require(value >= 0 && value <= 1, name + " is " + value + ", expected 0 to 1");
  }

  static void require(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
