package dev.sortie.eetuning.decode.grammar;

import java.util.Arrays;

/** Which tokens are allowed: a list where they are few, else a bit for each token. */
final class TokenMask {
  private static final int MANY = 32;

  private final int[] ids;
  private final long[] bits;

  /**
   * @param allowed ids, each once
   * @param vocab number of logits
   */
  TokenMask(int[] allowed, int vocab) {
    boolean few = allowed.length < vocab / MANY;
    ids = few ? allowed : null;
    bits = few ? null : new long[(vocab + 63) / 64];
    if (!few) {
      for (int id : allowed) {
        bits[id >> 6] |= 1L << id;
      }
    }
  }

  /** Memory that it takes. */
  int bytes() {
    return ids != null ? 4 * ids.length : 8 * bits.length;
  }

  /**
   * Makes the logits of all other tokens negative infinity. Where the head that gave the logits
   * covers no allowed token, all of these are equally likely.
   */
  void apply(float[] logits) {
    if (ids != null) {
      keep(logits);
      return;
    }
    boolean covered = false;
    for (int i = 0; i < logits.length; i++) {
      if (isSet(i)) {
        covered |= logits[i] > Float.NEGATIVE_INFINITY;
      } else {
        logits[i] = Float.NEGATIVE_INFINITY;
      }
    }
    for (int i = 0; i < logits.length && !covered; i++) {
      logits[i] = isSet(i) ? 0 : logits[i];
    }
  }

  private boolean isSet(int id) {
    return (bits[id >> 6] >> id & 1) != 0;
  }

  private void keep(float[] logits) {
    float[] kept = new float[ids.length];
    boolean covered = false;
    for (int i = 0; i < kept.length; i++) {
      kept[i] = logits[ids[i]];
      covered |= kept[i] > Float.NEGATIVE_INFINITY;
    }
    Arrays.fill(logits, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < kept.length; i++) {
      logits[ids[i]] = covered ? kept[i] : 0;
    }
  }
}
