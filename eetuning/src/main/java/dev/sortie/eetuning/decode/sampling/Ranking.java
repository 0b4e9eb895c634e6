package dev.sortie.eetuning.decode.sampling;

import java.util.Arrays;

/**
 * Ids by falling logit, equal ones by rising id, sorted as far as they are asked for: of a large
 * vocabulary a sampler needs the first few.
 */
final class Ranking {
  /** How far below the largest logit each piece reaches, the last one to the end. */
  private static final float[] REACH = {4, 8, 10, 11, 12, 13, 14, 15, 16, Float.POSITIVE_INFINITY};

  /** Not 1024: logits 4 KiB apart would share one set of the L1 cache. */
  private static final int COLUMNS = 1040;

  private final float[] logits;

  /**
   * The largest logit of each column, which is every so many of them: so most of a vocabulary is
   * never looked at again. Not a number where one of them is not. (Not floats: where an array may
   * be the one that is read, the JIT makes no vectors, and this takes 19 us, not 4.)
   */
  private final double[] largest;

  private final float max;
  private int[] ids = new int[0];
  private int pieces;

  /** At least one logit. */
  Ranking(float[] logits) {
    this.logits = logits;
    this.largest = largest(logits);
    double most = Double.NEGATIVE_INFINITY;
    for (double x : largest) {
      most = Math.max(most, x);
    }
    this.max = Double.isNaN(most) ? logits[Sampler.argmax(logits)] : (float) most;
  }

  /** In rows of a constant length, and the rest: of other loops the JIT makes no vectors. */
  private static double[] largest(float[] logits) {
    double[] largest = new double[COLUMNS];
    Arrays.fill(largest, Double.NEGATIVE_INFINITY);
    int whole = logits.length / COLUMNS * COLUMNS;
    for (int first = 0; first < whole; first += COLUMNS) {
      for (int i = 0; i < COLUMNS; i++) {
        largest[i] = Math.max(largest[i], logits[first + i]);
      }
    }
    for (int i = whole; i < logits.length; i++) {
      largest[i - whole] = Math.max(largest[i - whole], logits[i]);
    }
    return largest;
  }

  /** The largest logit. */
  float max() {
    return max;
  }

  /** The id at place {@code i}, from 0. */
  int id(int i) {
    while (i >= ids.length && pieces < REACH.length) {
      addPiece();
    }
    return ids[i];
  }

  private void addPiece() {
    float above = pieces == 0 ? Float.POSITIVE_INFINITY : max - REACH[pieces - 1];
    float from = max - REACH[pieces];
    long[] keys = new long[256];
    int count = 0;
    for (int column = 0; column < COLUMNS; column++) {
      if (largest[column] < from) {
        continue;
      }
      for (int i = column; i < logits.length; i += COLUMNS) {
        float x = logits[i];
        if (x >= from && x < above) {
          keys = count == keys.length ? Arrays.copyOf(keys, 2 * count) : keys;
          keys[count++] = key(x, i);
        }
      }
    }
    Arrays.sort(keys, 0, count);
    int first = ids.length;
    ids = Arrays.copyOf(ids, first + count);
    for (int i = 0; i < count; i++) {
      ids[first + i] = (int) keys[i];
    }
    pieces++;
  }

  /** Rises as the logit falls; the id in the lower half breaks ties. */
  private static long key(float x, int id) {
    int bits = Float.floatToIntBits(x == 0 ? 0f : x);
    int rising = bits ^ ((bits >> 31) & 0x7fffffff);
    return ((long) ~rising << 32) | id;
  }
}
