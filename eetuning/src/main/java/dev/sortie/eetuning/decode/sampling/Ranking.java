package dev.sortie.eetuning.decode.sampling;

import java.util.Arrays;

/**
 * Ids by falling logit, equal ones by rising id, sorted as far as they are asked for: of a large
 * vocabulary a sampler needs the first few.
 */
final class Ranking {
  /** How far below the largest logit each piece reaches, the last one to the end. */
  private static final float[] REACH = {4, 8, 16, Float.POSITIVE_INFINITY};

  private final float[] logits;
  private final float max;
  private int[] ids = new int[0];
  private int pieces;

  /** Ids in each piece and those before it. */
  private final int[] ends = new int[REACH.length];

  /** At least one logit. */
  Ranking(float[] logits) {
    this.logits = logits;
    this.max = logits[Sampler.argmax(logits)];
  }

  /** How many ids have logits from {@link #from} on: some, and few of a peaked model. */
  int count(int reach) {
    while (pieces <= reach) {
      addPiece();
    }
    return ends[reach];
  }

  /**
   * The least logit that is likely.
   *
   * @param reach 0 for 4 below the largest logit, 1 for 8 below
   */
  float from(int reach) {
    return max - REACH[reach];
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
    for (int i = 0; i < logits.length; i++) {
      float x = logits[i];
      if (x >= from && x < above) {
        keys = count == keys.length ? Arrays.copyOf(keys, 2 * count) : keys;
        keys[count++] = key(x, i);
      }
    }
    Arrays.sort(keys, 0, count);
    int first = ids.length;
    ids = Arrays.copyOf(ids, first + count);
    for (int i = 0; i < count; i++) {
      ids[first + i] = (int) keys[i];
    }
    ends[pieces++] = ids.length;
  }

  /** Rises as the logit falls; the id in the lower half breaks ties. */
  private static long key(float x, int id) {
    int bits = Float.floatToIntBits(x == 0 ? 0f : x);
    int rising = bits ^ ((bits >> 31) & 0x7fffffff);
    return ((long) ~rising << 32) | id;
  }
}
