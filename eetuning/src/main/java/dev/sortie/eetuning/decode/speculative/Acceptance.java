package dev.sortie.eetuning.decode.speculative;

import java.util.Arrays;

/**
 * How often the draft tokens of one source are right, by kind and by place in the draft. Given that
 * all before it were right, the token at a place is right with a probability that is counted, older
 * counts fading, on top of the source's own prior; a place of which little is known is taken to
 * deviate from that as the place before does.
 */
final class Acceptance {
  /**
   * What a record leaves of the counts of its places: some 20 drafts of a kind are remembered. Text
   * turns from repeating itself to not within tens of tokens; 0.99 took up to 100 drafts to notice.
   */
  private static final double FADING = 0.95;

  /** Weight of the prior, in drafts. */
  private static final double ASSUMED = 4;

  private final Prior prior;
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

  /** As {@link DraftSource#prior}. */
  interface Prior {
    double of(int kind, int place);
  }

  Acceptance(Prior prior) {
    this.prior = prior;
    Arrays.setAll(kinds, i -> new Counts());
  }

  /** Of a draft the first {@code right} tokens were right; then it failed, or just ended. */
  void add(int kind, int right, boolean failed) {
    for (int place = 0; place < right; place++) {
      kinds[kind].add(place, true);
    }
    if (failed && right < Speculative.MAX_DRAFT) {
      kinds[kind].add(right, false);
    }
  }

  /** Expected number of right tokens in a draft of 0, 1 … {@code most} tokens. */
  double[] expected(int kind, int most) {
    double[] sums = new double[most + 1];
    double all = 1;
    double deviation = 0;
    for (int place = 0; place < most; place++) {
      double assumed = prior.of(kind, place);
      double estimate = kinds[kind].estimate(place, Math.clamp(assumed + deviation, 0, 1));
      deviation = estimate - assumed;
      all *= estimate;
      sums[place + 1] = sums[place] + all;
    }
    return sums;
  }
}
