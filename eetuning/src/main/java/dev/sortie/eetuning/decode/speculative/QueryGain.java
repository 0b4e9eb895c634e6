package dev.sortie.eetuning.decode.speculative;

/**
 * Whether it is worth asking a source that costs, by situation: what asking gained there lately,
 * less what it cost, in passes. A gain is rare and large, so it takes tens of questions to know it,
 * and a text is over before each situation has had them: what is known of one alone is little
 * against the mean of all, until it has been asked often. Learnt apart, a source that does not pay
 * was asked six to ten times in each situation; together it is some ten questions in all.
 */
final class QueryGain {
  /** What asking is taken to gain before it is known, and for how many questions that stands. */
  private static final double HOPE = 0.02;

  private static final double HOPES = 20;

  /** Questions of all situations that count in each. */
  private static final double SHARED = 10;

  /** What a question leaves of the weight of those before it: of all situations, and of its own. */
  private static final double FADING = 0.99;

  private static final double OWN_FADING = 0.95;

  /**
   * Asked once in so many times even where it did not pay; the source then makes up for all that it
   * missed.
   */
  private static final int ASK_EVERY = 48;

  private final double[] sums;
  private final double[] weights;
  private final int[] waited;
  private double sum = HOPES * HOPE;
  private double weight = HOPES;

  QueryGain(int situations) {
    this.sums = new double[situations];
    this.weights = new double[situations];
    this.waited = new int[situations];
  }

  /** Whether to ask now. */
  boolean asks(int situation) {
    waited[situation]++;
    return expected(situation) > 0 || waited[situation] >= ASK_EVERY;
  }

  /** What a question is expected to gain. */
  double expected(int situation) {
    return (sums[situation] + SHARED * sum / weight) / (weights[situation] + SHARED);
  }

  /** A question was asked and gained so much, less than 0 where it cost more. */
  void asked(int situation, double gained) {
    waited[situation] = 0;
    sums[situation] = OWN_FADING * sums[situation] + gained;
    weights[situation] = OWN_FADING * weights[situation] + 1;
    sum = FADING * sum + gained;
    weight = FADING * weight + 1;
  }
}
