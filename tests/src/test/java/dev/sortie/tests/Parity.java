package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.memory.Span;

/** How near two tensors are, judged tensor by tensor so that small ones count as much as large. */
final class Parity {
  private Parity() {}

  /**
   * Fails unless {@code ‖actual - expected‖ < tolerance ‖expected‖}, and the largest difference is
   * below {@code tolerance} of the largest expected element: the norm sees an error everywhere, the
   * maximum one in a single place.
   */
  static void near(String what, Span actual, Span expected, double tolerance) {
    assertThat(actual.length()).as("elements of " + what).isEqualTo(expected.length());
    double squares = 0;
    double differences = 0;
    double largest = 0;
    double worst = 0;
    for (long i = 0; i < expected.length(); i++) {
      double e = expected.get(i);
      double d = actual.get(i) - e;
      squares += e * e;
      differences += d * d;
      largest = Math.max(largest, Math.abs(e));
      // Math.max keeps a NaN, which then fails the comparison below
      worst = Math.max(worst, Math.abs(d));
    }
    assertThat(squares).as("squared norm of the expected " + what).isPositive();
    assertThat(Math.sqrt(differences / squares))
        .as("norm of the difference over the norm of " + what)
        .isLessThan(tolerance);
    assertThat(worst / largest)
        .as("largest difference over the largest element of " + what)
        .isLessThan(tolerance);
  }

  /** Fails unless both have the same bytes. */
  static void same(String what, Span actual, Span expected) {
    assertThat(actual.segment().mismatch(expected.segment()))
        .as("first differing byte of " + what)
        .isEqualTo(-1);
  }
}
