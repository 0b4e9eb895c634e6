package dev.sortie.eetuning.eval;

import java.util.stream.DoubleStream;

/** The middle of measured values, which single disturbed ones do not move. */
public final class Median {
  private Median() {}

  /** The middle value of at least one, or the mean of the two in the middle. */
  public static double of(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("no values to take a median of");
    }
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
}
