package dev.sortie.eetuning.decode.policy;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.ExitAgreement;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.LowEntropy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.TopMargin;
import dev.sortie.nn.UsageException;
import java.util.List;

/** The policies by name. */
public final class ExitPolicies {
  /** The default. */
  public static final String PROBABILITY = "max-probability";

  /** The one that has patience. */
  public static final String AGREEMENT = "agreement";

  private static final String MARGIN = "margin";
  private static final String ENTROPY = "entropy";

  /** The word for what asks an exit's probe first. */
  public static final String PROBE = "probe";

  private ExitPolicies() {}

  /** All names. */
  public static List<String> names() {
    return List.of(PROBABILITY, MARGIN, ENTROPY, AGREEMENT, PROBE);
  }

  /**
   * The policy of a name.
   *
   * @param threshold confidence at which an exit is taken, 0 to 1; 1 never exits
   * @param patience exits in a row that agree, for {@code agreement}
   * @param probeThreshold what a probe must say, for {@code probe}
   */
  public static ExitPolicy of(String name, double threshold, int patience, double probeThreshold) {
    return switch (name) {
      case PROBABILITY -> new MaxProbability(threshold);
      case MARGIN -> new TopMargin(threshold);
      case ENTROPY -> new LowEntropy(threshold);
      case AGREEMENT -> new ExitAgreement(threshold, patience);
      case PROBE -> new LearnedProbe(new MaxProbability(threshold), probeThreshold);
      default ->
          throw new UsageException(
              "--exit-policy '" + name + "' is unknown; take one of " + names());
    };
  }
}
