package dev.sortie.eetuning.decode.policy;

import dev.sortie.nn.UsageException;

/**
 * Leaves when the confidence reaches one threshold, 0 to 1, for all exits; at 1 never, at 0 always.
 * The policies differ in what they take for the confidence.
 */
public sealed interface ThresholdPolicy extends ExitPolicy {

  /** 0 to 1. */
  double threshold();

  /** At a threshold of 1 no, also where rounding makes a confidence exactly 1. */
  @Override
  default boolean exits(int depth, double confidence) {
    return !never() && confidence >= threshold();
  }

  @Override
  default boolean never() {
    return threshold() >= 1;
  }

  /** Refuses a threshold that no confidence can be compared with. */
  private static void check(double threshold) {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new UsageException("--threshold " + threshold + " is outside 0 to 1");
    }
  }

  /** The largest probability. */
  record MaxProbability(double threshold) implements ThresholdPolicy {
    public MaxProbability {
      check(threshold);
    }
  }

  /** How far the largest probability is ahead of the second. */
  record TopMargin(double threshold) implements ThresholdPolicy {
    public TopMargin {
      check(threshold);
    }

    @Override
    public double confidence(ExitEvidence evidence) {
      return evidence.margin();
    }
  }

  /**
   * How narrow the distribution is: {@code coverage (1 - H / ln N)}, {@code H} its entropy and
   * {@code N} the number of tokens that the head covers.
   */
  record LowEntropy(double threshold) implements ThresholdPolicy {
    public LowEntropy {
      check(threshold);
    }

    @Override
    public double confidence(ExitEvidence evidence) {
      if (evidence.tokens() == 1) {
        return evidence.coverage();
      }
      return evidence.coverage() * (1 - evidence.entropy() / StrictMath.log(evidence.tokens()));
    }
  }

  /**
   * The largest probability at the last of several exits in a row that have the same most likely
   * token (patience, arXiv 2006.04152); 0 before they agree.
   *
   * @param patience exits in a row that agree, 1 or more
   */
  record ExitAgreement(double threshold, int patience) implements ThresholdPolicy {
    public ExitAgreement {
      check(threshold);
      if (patience < 1) {
        throw new UsageException("--patience " + patience + " must be at least 1");
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
}
