package dev.sortie.eetuning.decode.policy;

/**
 * Leaves when the distribution is narrow: when {@code coverage (1 - H / ln N)} reaches a threshold,
 * {@code H} its entropy and {@code N} the number of tokens that the head covers.
 *
 * @param threshold 0 to 1; 1 never leaves
 */
public record LowEntropy(double threshold) implements ThresholdPolicy {
  public LowEntropy {
    MaxProbability.check(threshold);
  }

  @Override
  public double confidence(ExitEvidence evidence) {
    if (evidence.tokens() == 1) {
      return evidence.coverage();
    }
    return evidence.coverage() * (1 - evidence.entropy() / StrictMath.log(evidence.tokens()));
  }
}
