package dev.sortie.eetuning.decode;

import dev.sortie.tensor.Random;
import java.util.Arrays;

/**
 * Chooses tokens from logits. Filters apply in the order penalty, temperature, top-k, top-p, min-p,
 * as in transformers. Ties go to the lower id.
 */
public final class Sampler {
  private final SamplingOptions options;
  private final Random random;
  private final boolean[] seen;

  /** A sampler over {@code vocab} tokens. */
  public Sampler(SamplingOptions options, int vocab) {
    this.options = options;
    this.random = new Random(options.seed(), 0).stream("sampling");
    this.seen = new boolean[vocab];
  }

  /** Notes that {@code id} stands in the text, for the repetition penalty. */
  public void saw(int id) {
    seen[id] = true;
  }

  /**
   * The next token.
   *
   * @param logits {@code [V]}, not changed
   * @param position where it will stand; decides the random number
   */
  public int choose(float[] logits, long position) {
    float[] x = logits;
    if (options.repetitionPenalty() != 1) {
      x = logits.clone();
      for (int i = 0; i < x.length; i++) {
        if (seen[i]) {
          x[i] =
              (float)
                  (x[i] > 0
                      ? x[i] / options.repetitionPenalty()
                      : x[i] * options.repetitionPenalty());
        }
      }
    }
    return options.temperature() == 0 ? argmax(x) : sample(x, random.uniform(position));
  }

  /** Index of the largest element, the first of equals. */
  public static int argmax(float[] x) {
    int best = 0;
    for (int i = 1; i < x.length; i++) {
      if (x[i] > x[best]) {
        best = i;
      }
    }
    return best;
  }

  private int sample(float[] x, double u) {
    long[] order = descending(x);
    int kept = options.topK() == 0 ? x.length : Math.min(options.topK(), x.length);
    double max = x[id(order[0])];
    double[] p = new double[kept];
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      p[i] = StrictMath.exp((x[id(order[i])] - max) / options.temperature());
      sum += p[i];
    }
    kept = nucleus(p, kept, sum);
    kept = aboveMinimum(p, kept);
    double total = 0;
    for (int i = 0; i < kept; i++) {
      total += p[i];
    }
    double left = u * total;
    for (int i = 0; i < kept - 1; i++) {
      left -= p[i];
      if (left < 0) {
        return id(order[i]);
      }
    }
    return id(order[kept - 1]);
  }

  private int nucleus(double[] p, int kept, double sum) {
    if (options.topP() == 1) {
      return kept;
    }
    double mass = 0;
    for (int i = 0; i < kept; i++) {
      mass += p[i];
      if (mass >= options.topP() * sum) {
        return i + 1;
      }
    }
    return kept;
  }

  private int aboveMinimum(double[] p, int kept) {
    int n = kept;
    while (n > 1 && p[n - 1] < options.minP() * p[0]) {
      n--;
    }
    return n;
  }

  /**
   * Ids by falling logit, then by rising id, each packed below its order-preserving key so that a
   * primitive sort serves.
   */
  private static long[] descending(float[] x) {
    long[] keys = new long[x.length];
    for (int i = 0; i < x.length; i++) {
      int bits = Float.floatToIntBits(x[i] == 0 ? 0f : x[i]);
      int rising = bits ^ ((bits >> 31) & 0x7fffffff);
      keys[i] = ((long) ~rising << 32) | i;
    }
    Arrays.sort(keys);
    return keys;
  }

  private static int id(long key) {
    return (int) key;
  }
}
