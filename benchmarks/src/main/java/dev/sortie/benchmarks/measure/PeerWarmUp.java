package dev.sortie.benchmarks.measure;

/**
 * Runs Java work until it is compiled. Vector code is a thousand times slower before, and the
 * optimising compiler takes two to three seconds for a matrix product: fixed times of 0.25 s and
 * 1.5 s ended in the middle of it.
 */
public final class PeerWarmUp {
  private static final double BLOCK_SECONDS = 0.2;
  private static final int STEADY_BLOCKS = 4;
  private static final int MOST_BLOCKS = 60;
  private static final double STEADY = 1.1;

  private PeerWarmUp() {}

  /** Runs until several blocks in a row were nearly as fast as the fastest before them. */
  public static void run(Side work) {
    double best = Double.POSITIVE_INFINITY;
    int steady = 0;
    for (int block = 0; block < MOST_BLOCKS && steady < STEADY_BLOCKS; block++) {
      double total = 0;
      int samples = 0;
      while (total < BLOCK_SECONDS) {
        total += work.seconds();
        samples++;
      }
      double mean = total / samples;
      steady = mean < STEADY * best && mean > best / STEADY ? steady + 1 : 0;
      best = Math.min(best, mean);
    }
  }
}
