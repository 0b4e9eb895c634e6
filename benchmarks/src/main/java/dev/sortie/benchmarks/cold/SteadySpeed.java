package dev.sortie.benchmarks.cold;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * When steps became as fast as they stay. The steady time of a step is the median of the later half
 * of all steps, as {@code tune} itself states it. A window is {@value #WINDOW} steps that follow
 * each other, and its time their median, so that a step which something else held up counts for
 * nothing. Steady speed begins with the middle step of the first window from which on each window
 * has at least {@value #SHARE} of the steady speed.
 */
final class SteadySpeed {
  static final int WINDOW = 5;
  static final double SHARE = 0.9;

  private SteadySpeed() {}

  /**
   * The index of the first step at steady speed. Empty if that is none of the earlier half of the
   * steps: the later half, which the steady speed is taken from, was then not steady itself.
   *
   * @param seconds of each step
   */
  static OptionalInt firstStep(double[] seconds) {
    if (seconds.length < 2 * WINDOW) {
      return OptionalInt.empty();
    }
    double most = median(seconds, seconds.length / 2, seconds.length) / SHARE;
    int from = seconds.length - WINDOW + 1;
    while (from > 0 && median(seconds, from - 1, from - 1 + WINDOW) <= most) {
      from--;
    }
    int step = from == 0 ? 0 : from + WINDOW / 2;
    return step < seconds.length / 2 ? OptionalInt.of(step) : OptionalInt.empty();
  }

  private static double median(double[] values, int from, int to) {
    double[] sorted = Arrays.copyOfRange(values, from, to);
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
