package dev.sortie.eetuning.decode.policy;

/**
 * Decides whether an exit's prediction is taken: by a measure of how sure the exit is, and a bound
 * on it. All are deterministic.
 */
public interface ExitPolicy {

  /**
   * How sure the exit is, in 0 to 1; the largest probability unless a policy says otherwise. This
   * is what traces show.
   */
  default double confidence(ExitEvidence evidence) {
    return evidence.maxProbability();
  }

  /**
   * Whether to leave at this exit.
   *
   * @param depth where it stands
   * @param confidence what {@link #confidence} said
   */
  boolean exits(int depth, double confidence);

  /** Whether the answer is no whatever the confidence: then exits need not be computed. */
  boolean never();

  /**
   * Whether an exit that is not taken for long is asked less often; see {@link ExitSchedule}. Not
   * where the answers of exits that are not taken count.
   */
  default boolean rests() {
    return true;
  }

  /** Whether exits are asked for {@link #worthwhile} first; then they need a probe. */
  default boolean usesProbe() {
    return false;
  }

  /**
   * Whether an exit is worth evaluating.
   *
   * @param depth where it stands
   * @param probe what its probe says of the hidden state: the probability that it agrees with full
   *     depth
   */
  default boolean worthwhile(int depth, double probe) {
    return true;
  }
}
