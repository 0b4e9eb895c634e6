package dev.sortie.eetuning.decode.sampling;

/**
 * The sum of the weights {@code exp((x - max) / temperature)} of all tokens, the same bits
 * everywhere. Of 49,152 logits it takes 0.04 ms, where adding up {@link NegativeExp} takes 0.3.
 *
 * <p>A weight is the 128th power of its 128th root, for that takes multiplications and additions
 * alone, which the JIT compiles to vectors: the root by the Taylor series of {@code exp} about -1/4
 * to the eleventh power (the next term is below 2e-16), then seven squares. Its relative error is
 * below 1e-13.
 */
final class WeightSum {
  private static final int ROOT = 128;

  /** What the series is about, and its exponential. */
  private static final double CENTRE = -0.25;

  private static final double EXP_OF_CENTRE = 0.7788007830714049;

  /** The logarithm of roots from which on weights are smaller than any that count. */
  private static final double LEAST = -0.5;

  /** Sums that are made side by side, each of every so many weights. */
  private static final int SUMS = 1024;

  private WeightSum() {}

  /**
   * The sum; not a number if a logit is not one.
   *
   * @param max the largest logit
   */
  static double of(float[] logits, double max, double temperature) {
    double scale = Math.min(1 / (ROOT * temperature), Double.MAX_VALUE);
    double[] sums = new double[SUMS];
    int whole = logits.length / SUMS * SUMS;
    for (int first = 0; first < whole; first += SUMS) {
      for (int i = 0; i < SUMS; i++) {
        sums[i] += weight((logits[first + i] - max) * scale);
      }
    }
    for (int i = whole; i < logits.length; i++) {
      sums[i - whole] += weight((logits[i] - max) * scale);
    }
    double all = 0;
    for (double sum : sums) {
      all += sum;
    }
    return all;
  }

  /**
   * The weight whose root is {@code exp(x)}. (With a series that {@link NegativeExp} shares, of two
   * more terms, the loop around it did not become vectors, and the sum took 0.4 ms.)
   */
  private static double weight(double x) {
    double t = Math.max(x, LEAST) - CENTRE;
    double w = 1.0 / 39916800;
    w = w * t + 1.0 / 3628800;
    w = w * t + 1.0 / 362880;
    w = w * t + 1.0 / 40320;
    w = w * t + 1.0 / 5040;
    w = w * t + 1.0 / 720;
    w = w * t + 1.0 / 120;
    w = w * t + 1.0 / 24;
    w = w * t + 1.0 / 6;
    w = w * t + 0.5;
    w = w * t + 1;
    w = w * t + 1;
    w *= EXP_OF_CENTRE;
    w *= w; // no loop: in one, the loop around it would not become vectors
    w *= w;
    w *= w;
    w *= w;
    w *= w;
    w *= w;
    w *= w;
    return w;
  }
}
