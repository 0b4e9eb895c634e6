package dev.sortie.eetuning.decode.speculative;

import java.util.Arrays;
import java.util.List;

/**
 * Chooses the length that promises the most tokens per second: the tokens expected of a draft, by
 * {@link Acceptance}, over the time of its round, by {@link RoundCost}. Where no length promises
 * more than passes of one token, nothing is drafted.
 *
 * <p>A source that costs nothing is compared with the text even then, and so is heard again as soon
 * as it deserves it. One that costs must be tried: with one token first, twice as many after each
 * success; what trials cost is kept below {@link #TRIAL_SHARE} of all time.
 */
final class AdaptiveDraftLength implements DraftLength {
  /**
   * Extra cost of a draft that comes for nothing, in passes per row, before it is measured: BF16
   * takes 0.08 to 0.11 here, Q4_1 0.3 to 0.36.
   */
  private static final double ROW = 0.15;

  /** What a draft must promise over passes of one token: less is noise. */
  private static final double MARGIN = 1.02;

  /** Passes of one token to begin with, and at least one in so many: the measure of all costs. */
  private static final int FIRST_PLAIN = 3;

  private static final int PLAIN_EVERY = 64;

  /** Time that trials may lose: this share, and one pass to begin with. */
  private static final double TRIAL_SHARE = 0.025;

  private static final double FREE_TRIALS = 1;

  private final double[] costs;
  private final boolean[] says;
  private final Acceptance[] acceptance;
  private final RoundCost[] roundCosts;
  private final int[] trialLength;
  private final DraftCalibration[] calibrations;
  private final QueryGain[] gains;

  /** Seconds of a pass of one token. */
  private double plain;

  private int plainRounds;
  private int sincePlain;

  /** Seconds of all rounds, and those lost to drafts that cost. */
  private double total;

  private double lost;

  /** The source on trial in the round to come, or -1. */
  private int onTrial = -1;

  /** For these sources. */
  static AdaptiveDraftLength of(List<DraftSource> sources) {
    return new AdaptiveDraftLength(
        sources.stream().mapToDouble(DraftSource::cost).toArray(),
        says(sources),
        sources.stream().map(s -> (Acceptance.Prior) s::prior).toList());
  }

  private static boolean[] says(List<DraftSource> sources) {
    boolean[] says = new boolean[sources.size()];
    for (int i = 0; i < says.length; i++) {
      says[i] = sources.get(i).givesProbabilities();
    }
    return says;
  }

  /**
   * For sources of these costs.
   *
   * @param costs by {@link DraftSource#cost}
   * @param says by {@link DraftSource#givesProbabilities}
   * @param priors of the same sources
   */
  AdaptiveDraftLength(double[] costs, boolean[] says, List<Acceptance.Prior> priors) {
    this.costs = costs.clone();
    this.says = says.clone();
    this.acceptance = new Acceptance[costs.length];
    this.roundCosts = new RoundCost[costs.length];
    this.trialLength = new int[costs.length];
    Arrays.setAll(acceptance, i -> new Acceptance(priors.get(i)));
    Arrays.fill(trialLength, 1);
    this.calibrations = new DraftCalibration[costs.length];
    this.gains = new QueryGain[costs.length];
    Arrays.setAll(gains, i -> new QueryGain(1 + Draft.KINDS));
    Arrays.setAll(calibrations, i -> new DraftCalibration());
    RoundCost shared = new RoundCost(ROW); // whose draft it is makes no difference to the pass
    Arrays.setAll(
        roundCosts, i -> costs[i] == 0 || says[i] ? shared : new RoundCost(costs[i] + ROW));
  }

  private boolean plainDue() {
    return plainRounds < FIRST_PLAIN || sincePlain >= PLAIN_EVERY;
  }

  @Override
  public double plainRate() {
    return plainDue() ? Double.POSITIVE_INFINITY : MARGIN / plain;
  }

  @Override
  public Choice choose(int source, int kind, int available) {
    if (plainDue()) {
      return Choice.NONE;
    }
    int most = Math.min(available, Speculative.MAX_DRAFT);
    double[] right = acceptance[source].expected(kind, most);
    Choice best = Choice.NONE;
    for (int k = 1; k <= most; k++) {
      double rate = (1 + right[k]) / (plain * roundCosts[source].of(k));
      best = rate > best.rate() ? new Choice(k, rate) : best;
    }
    if (costs[source] > 0 && best.rate() <= plainRate() && mayTry(source)) {
      onTrial = source;
      return new Choice(Math.min(most, trialLength[source]), Double.MAX_VALUE);
    }
    return best;
  }

  @Override
  public double[] expected(int source, int kind, int available) {
    return acceptance[source].expected(kind, Math.min(available, Speculative.MAX_DRAFT));
  }

  @Override
  public boolean asks(int source, int situation) {
    return !plainDue() && gains[source].asks(situation);
  }

  /** What is asked has been paid for, so it does not count in the choice, but in the gain of it. */
  @Override
  public Choice weigh(int source, int situation, Draft draft, Choice other, double seconds) {
    double[] right = calibrations[source].expected(draft);
    Choice best = Choice.NONE;
    for (int k = 1; k <= draft.length(); k++) {
      double rate = (1 + right[k]) / (plain * roundCosts[source].of(k));
      best = rate > best.rate() ? new Choice(k, rate) : best;
    }
    // a pass that is c times as dear as a plain one, but gives r times its rate, saves c (r - 1)
    double more = Math.max(0, best.rate() / Math.max(other.rate(), 1 / plain) - 1);
    double saved = best.length() == 0 ? 0 : more * roundCosts[source].of(best.length());
    gains[source].asked(situation, saved - Math.min(seconds / plain, 1));
    return best;
  }

  @Override
  public void compared(int source, Draft draft, int right) {
    calibrations[source].compared(draft, right);
  }

  private boolean mayTry(int source) {
    double price = plain * (roundCosts[source].of(trialLength[source]) - 1);
    return lost + price <= FREE_TRIALS * plain + TRIAL_SHARE * total;
  }

  @Override
  public void compared(int source, int kind, int right, boolean failed) {
    acceptance[source].add(kind, right, failed);
  }

  @Override
  public void finished(int source, int limit, double seconds, int emitted) {
    total += Math.min(seconds, plain == 0 ? seconds : 4 * plain * (1 + limit));
    if (source < 0) {
      addPlain(seconds);
      return;
    }
    sincePlain++;
    if (seconds < plain) {
      plain += 0.5 * (seconds - plain); // more rows never take less: it was overestimated
    }
    roundCosts[source].add(limit, seconds / plain);
    if (costs[source] > 0 && !says[source]) {
      lost = Math.max(0, lost + seconds - emitted * plain);
    }
    if (source == onTrial) {
      trialLength[source] = emitted > limit ? Math.min(2 * limit, Speculative.MAX_DRAFT) : 1;
    }
    onTrial = -1;
  }

  private void addPlain(double seconds) {
    // the first is compiled on the way; the fastest of the first few is the best estimate
    plain =
        plainRounds == 0
            ? seconds
            : plainRounds < FIRST_PLAIN
                ? Math.min(plain, seconds)
                : plain + 0.2 * (Math.min(seconds, 2 * plain) - plain);
    plainRounds++;
    sincePlain = 0;
  }
}
