package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * How much is drafted, on a simulated machine: time is counted in passes of one token, so the
 * promises hold for any speed.
 */
class AdaptiveDraftLengthContractTest {

  /** Decodes without a model. */
  private static final class Simulation {
    private final double row;
    private final double drafting;
    private final AdaptiveDraftLength lengths;
    private final DraftOutcomes trials;
    private final Random random = new Random(1);
    private double time;
    private int tokens;
    private double noise;

    /**
     * @param row extra cost of a row in a pass
     * @param drafting cost of drafting a token
     */
    Simulation(double row, double drafting) {
      this.row = row;
      this.drafting = drafting;
      this.lengths =
          new AdaptiveDraftLength(
              new double[] {drafting}, new boolean[1], List.of((kind, place) -> 0.5));
      this.trials = new DraftOutcomes(lengths);
    }

    /** Tokens per pass-time over {@code count} tokens; each draft is right with probability p. */
    double run(int count, double p) {
      double start = time;
      int begin = tokens;
      while (tokens - begin < count) {
        round(p);
      }
      return (tokens - begin) / (time - start);
    }

    private void round(double p) {
      double plain = lengths.plainRate();
      DraftLength.Choice c = lengths.choose(0, 0, Speculative.MAX_DRAFT);
      int k = c.rate() > plain ? c.length() : 0;
      int drafted = drafting == 0 ? Speculative.MAX_DRAFT : k;
      if (drafted > 0) {
        trials.open(0, new Draft(new int[drafted], 0), tokens + 1, drafted);
      }
      double seconds = (1 + row * k + drafting * k) * (1 + noise * random.nextGaussian());
      time += seconds;
      boolean reached = true;
      int emitted = 0;
      // every draft is 0, and so is the text where a draft is to be right
      while (reached) {
        emitted++;
        int token = random.nextDouble() < p ? 0 : 1;
        trials.chosen(tokens + emitted, token);
        reached = emitted <= k && token == 0;
      }
      tokens += emitted;
      lengths.finished(k > 0 ? 0 : -1, k, seconds, emitted);
    }
  }

  /** The best that a fixed length gives, in tokens per pass-time. */
  private static double best(double row, double drafting, double p) {
    double best = 1;
    double expected = 1;
    double all = 1;
    for (int k = 1; k <= Speculative.MAX_DRAFT; k++) {
      all *= p;
      expected += all;
      best = Math.max(best, expected / (1 + (row + drafting) * k));
    }
    return best;
  }

  @Test
  void aSourceThatIsNeverRightCostsLessThanFivePercent() {
    for (double row : new double[] {0.05, 0.1, 0.35}) {
      for (double drafting : new double[] {0, 0.3, 0.9}) {
        for (int tokens : new int[] {64, 256, 2000}) {
          assertThat(1 / new Simulation(row, drafting).run(tokens, 0))
              .as("row %s, drafting %s, %d tokens", row, drafting, tokens)
              .isLessThan(1.05);
        }
      }
    }
  }

  @Test
  void aSourceThatIsSeldomRightCostsLessThanFivePercent() {
    for (double p : new double[] {0.02, 0.05, 0.1, 0.2}) {
      for (double drafting : new double[] {0, 0.9}) {
        Simulation s = new Simulation(0.3, drafting);
        s.noise = 0.05;
        assertThat(1 / s.run(1000, p)).as("p %s, drafting %s", p, drafting).isLessThan(1.05);
      }
    }
  }

  @Test
  void whereDraftsPayTheGainIsNearThatOfTheBestFixedLength() {
    for (double row : new double[] {0.05, 0.1, 0.3}) {
      for (double p : new double[] {0.5, 0.7, 0.9, 1}) {
        Simulation s = new Simulation(row, 0);
        s.noise = 0.05;
        s.run(100, p);
        assertThat(s.run(1000, p)).as("row %s, p %s", row, p).isGreaterThan(0.9 * best(row, 0, p));
      }
    }
  }

  @Test
  void aSourceThatCostsIsFoundOutToPay() {
    for (double p : new double[] {0.8, 0.95}) {
      Simulation s = new Simulation(0.1, 0.15);
      s.noise = 0.05;
      s.run(500, p);
      assertThat(s.run(1000, p)).as("p %s", p).isGreaterThan(0.8 * best(0.1, 0.15, p));
    }
  }

  @Test
  void aSourceThatWasWrongForLongIsHeardAgain() {
    for (double drafting : new double[] {0, 0.15}) {
      Simulation s = new Simulation(0.1, drafting);
      s.run(1000, 0);
      s.run(400, 0.95);
      assertThat(s.run(500, 0.95)).isGreaterThan(0.8 * best(0.1, drafting, 0.95));
      s.run(100, 0);
      assertThat(1 / s.run(500, 0)).as("and is left alone again").isLessThan(1.05);
    }
  }

  @Test
  void aPassThatOnceTookTooLongIsForgotten() {
    RoundCost cost = new RoundCost(0.15);
    for (int i = 0; i < 5; i++) {
      cost.add(4, 50);
    }
    assertThat(cost.of(4)).isGreaterThan(3);
    for (int i = 0; i < 300; i++) {
      cost.add(2, 1.2);
    }
    assertThat(cost.of(4)).isBetween(1.3, 1.7);
    assertThat(cost.of(8)).isBetween(1.5, 2.5);
  }
}
