package dev.sortie.eetuning.decode.policy;

/**
 * Leaves when the largest probability is ahead of the second by a threshold.
 *
 * @param threshold 0 to 1; 1 never leaves
 */
public record TopMargin(double threshold) implements ThresholdPolicy {
  public TopMargin {
    MaxProbability.check(threshold);
  }

  @Override
  public double confidence(ExitEvidence evidence) {
    return evidence.margin();
  }
}
