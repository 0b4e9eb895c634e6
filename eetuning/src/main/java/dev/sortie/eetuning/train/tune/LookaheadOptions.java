package dev.sortie.eetuning.train.tune;

import dev.sortie.nn.UsageException;

/**
 * How a lookahead exit is tuned.
 *
 * @param unroll how many tokens it looks ahead, each from its own state before; each counts the
 *     same
 * @param hiddenWeight factor on the mean squared distance between its states and the hidden states
 *     that full depth has there, both after the final norm (EAGLE, arXiv 2401.15077, regresses them
 *     too); 0 leaves it out
 */
public record LookaheadOptions(int unroll, double hiddenWeight) {
  /** One token, and the divergence alone. */
  public static final LookaheadOptions DEFAULT = new LookaheadOptions(1, 0);

  public LookaheadOptions {
    if (unroll < 1 || unroll > 8) {
      throw new UsageException("--lookahead-unroll " + unroll + " is outside 1 to 8");
    }
    if (!(hiddenWeight >= 0) || Double.isInfinite(hiddenWeight)) {
      throw new UsageException("--lookahead-hidden " + hiddenWeight + " must be 0 or more");
    }
  }
}
