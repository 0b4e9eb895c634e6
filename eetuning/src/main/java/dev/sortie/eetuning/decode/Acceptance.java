package dev.sortie.eetuning.decode;

import java.util.Arrays;

/**
 * How often the guesses of one source are right, by kind and by place in the guess. Given that all
 * before it were right, the token at a place is right with a probability that is counted, older
 * counts fading. A kind of which little is known is taken to be like the whole source, a place like
 * the one before it.
 */
final class Acceptance {
  /**
   * What a record leaves of the counts of its places: some 20 guesses of a kind are remembered.
   * Text turns from repeating itself to not within tens of tokens; 0.99 took up to 100 guesses to
   * notice.
   */
  private static final double FADING = 0.95;

  /** Weight of what is assumed, in guesses. */
  private static final double ASSUMED = 2;

  /** Of a source of which nothing is known. */
  private static final double PRIOR = 0.5;

  private final Counts source = new Counts();
  private final Counts[] kinds = new Counts[Draft.KINDS];

  private static final class Counts {
    final double[] tried = new double[Speculative.MAX_DRAFT];
    final double[] right = new double[Speculative.MAX_DRAFT];

    void add(int place, boolean wasRight) {
      tried[place] = FADING * tried[place] + 1;
      right[place] = FADING * right[place] + (wasRight ? 1 : 0);
    }

    double estimate(int place, double assumed) {
      return (right[place] + ASSUMED * assumed) / (tried[place] + ASSUMED);
    }
  }

  Acceptance() {
    Arrays.setAll(kinds, i -> new Counts());
  }

  /** Of a guess the first {@code right} tokens were right; then it failed, or just ended. */
  void add(int kind, int right, boolean failed) {
    for (int place = 0; place < right; place++) {
      source.add(place, true);
      kinds[kind].add(place, true);
    }
    if (failed && right < Speculative.MAX_DRAFT) {
      source.add(right, false);
      kinds[kind].add(right, false);
    }
  }

  /** Expected number of right tokens in a guess of 0, 1 … {@code most} tokens. */
  double[] expected(int kind, int most) {
    double[] sums = new double[most + 1];
    double all = 1;
    double before = PRIOR;
    for (int place = 0; place < most; place++) {
      before = source.estimate(place, before);
      all *= kinds[kind].estimate(place, before);
      sums[place + 1] = sums[place] + all;
    }
    return sums;
  }
}
