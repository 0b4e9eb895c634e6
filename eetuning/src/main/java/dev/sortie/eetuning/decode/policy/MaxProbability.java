package dev.sortie.eetuning.decode.policy;

import dev.sortie.nn.InputException;

/**
 * Leaves when the largest probability reaches a threshold. At 1 it never leaves, also where
 * rounding makes a probability exactly 1; at 0 always.
 *
 * @param threshold 0 to 1
 */
public record MaxProbability(double threshold) implements ThresholdPolicy {
  public MaxProbability {
    check(threshold);
  }

  /** Refuses a threshold that no probability can be compared with. */
  static void check(double threshold) {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new InputException("--threshold " + threshold + " is outside 0 to 1");
    }
  }
}
