package dev.sortie.benchmarks.measure;

import java.util.Arrays;

/**
 * Times several sides in turns, so that a change of the machine's speed meets all of them, and
 * takes medians. Each round begins with another side. Before each sample stands a pause: threads of
 * the other side spin on a core for up to 26 ms after their last work (OpenBLAS) before they sleep.
 */
public final class Turns {
  private static final int PAUSE_MILLIS = 40;

  private Turns() {}

  /** Median seconds of each side over {@code rounds} rounds. */
  public static double[] medians(int rounds, Side... sides) {
    double[][] seconds = new double[sides.length][rounds];
    for (int r = 0; r < rounds; r++) {
      for (int i = 0; i < sides.length; i++) {
        int side = (i + r) % sides.length;
        pause();
        seconds[side][r] = sides[side].seconds();
      }
    }
    return Arrays.stream(seconds).mapToDouble(Turns::median).toArray();
  }

  /** The middle value, or the mean of the two in the middle. */
  public static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while measuring", e);
    }
  }
}
