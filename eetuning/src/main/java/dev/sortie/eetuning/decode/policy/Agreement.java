package dev.sortie.eetuning.decode.policy;

import dev.sortie.nn.InputException;

/**
 * Leaves when several exits in a row have the same most likely token (patience, arXiv 2006.04152)
 * and the last of them gives it a probability of at least a threshold. The confidence is that
 * probability, 0 before they agree.
 *
 * @param threshold 0 to 1; 1 never leaves
 * @param patience exits in a row that agree, 1 or more
 */
public record Agreement(double threshold, int patience) implements ThresholdPolicy {
  public Agreement {
    MaxProbability.check(threshold);
    if (patience < 1) {
      throw new InputException("--patience " + patience + " must be at least 1");
    }
  }

  @Override
  public double confidence(ExitEvidence evidence) {
    return evidence.agreeing() >= patience ? evidence.maxProbability() : 0;
  }

  @Override
  public boolean rests() {
    return patience == 1;
  }

  @Override
  public boolean exits(int depth, double confidence) {
    return confidence > 0 && ThresholdPolicy.super.exits(depth, confidence);
  }
}
