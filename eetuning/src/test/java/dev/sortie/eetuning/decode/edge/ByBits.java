package dev.sortie.eetuning.decode.edge;

import dev.sortie.eetuning.decode.policy.ExitPolicy;

/**
 * Leaves by the last bits of confidences, at a share of all exits: decides alike everywhere, and
 * only where the bits are the same.
 */
record ByBits(int percent) implements ExitPolicy {
  @Override
  public boolean exits(int depth, double confidence) {
    return (Double.doubleToRawLongBits(confidence) >>> 7) % 100 < percent;
  }

  @Override
  public boolean never() {
    return false;
  }
}
