package dev.sortie.eetuning.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EarlyExitCostContractTest {
  private static final double EXACT = 1e-9;

  private static double seconds(CostTable t, int maxPending, int... exits) {
    return new EarlyExitCost(t, t.depths(), maxPending, false).seconds(100, exits);
  }

  @Test
  void rowsBetweenThoseMeasuredLieOnALineAndAboveContinueWithIt() {
    RowTimes t = Tables.times(Map.of(1, 1.0, 2, 1.1, 16, 2.5));
    assertThat(t.at(1)).isEqualTo(1);
    assertThat(t.at(9)).isCloseTo(1.8, within(EXACT));
    assertThat(t.at(18)).isCloseTo(2.7, within(EXACT));
    assertThatThrownBy(() -> t.at(0)).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> Tables.times(Map.of(2, 1.0))).hasMessageContaining("expected 1 row");
  }

  @Test
  void aTokenThatLeavesCostsItsLayersAndTheChecksOnTheWay() {
    CostTable t = Tables.of(Tables.norm(4, 2), Tables.norm(7, 0.5));
    assertThat(seconds(t, 15, 4)).isCloseTo(4 + 2, within(EXACT));
    assertThat(seconds(t, 15, 7)).isCloseTo(4 + 2 + 3 + 0.5, within(EXACT));
    assertThat(seconds(t, 15, 0)).isCloseTo(10 + 2.5 + 4, within(EXACT));
  }

  @Test
  void tokensThatLeftAreCompletedByTheFirstThatGoesDeeper() {
    CostTable t = Tables.of(Tables.norm(4, 2), Tables.norm(7, 0.5));
    // two leave at 4; the third takes three rows through layers 5 to 7 and leaves; the fourth one
    // row there and four rows above
    double third = 4 + 2 + 3 * 1.2 + 0.5;
    double fourth = 4 + 2 + 3 * 1 + 0.5 + 3 * 1.3 + 4;
    assertThat(seconds(t, 15, 4, 4, 7, 0)).isCloseTo(2 * (4 + 2) + third + fourth, within(EXACT));
  }

  @Test
  void anExitsOwnLayerSeesEveryTokenOnce() {
    CostTable t = Tables.of(Tables.norm(4, 2), Tables.layer(7, 0.5));
    double second = 4 + 2 + 3 * 1.1 + 1.1 + 0.5;
    assertThat(seconds(t, 15, 4, 7)).isCloseTo(4 + 2 + second, within(EXACT));
  }

  @Test
  void theLayerOfAnExitThatIsNotAskedWaits() {
    CostTable t = Tables.of(Tables.layer(4, 2));
    double second = 4 + 6 * 1.1 + 4;
    double third = 4 + 1.1 + 2;
    assertThat(seconds(t, 1, 4, 0, 4)).isCloseTo(4 + 1 + 2 + second + third, within(EXACT));
    int[] never = new int[32];
    // twice the keys and values of a batch of sixteen
    assertThat(seconds(t, 0, never)).isCloseTo(32 * 14 + 2 * (2.6 - 1), within(EXACT));
  }

  @Test
  void anExitThatNobodyTakesIsAskedLessAndLess() {
    CostTable t = Tables.of(Tables.norm(4, 2));
    int[] never = new int[64 + 160];
    // each of 8, every second of 8, every fourth of 16, every eighth of 32, every sixteenth of 160
    int asked = 8 + 4 + 4 + 4 + 10;
    assertThat(new EarlyExitCost(t, List.of(4), 15, true).seconds(100, never))
        .isCloseTo(never.length * 14 + asked * 2, within(EXACT));
  }

  @Test
  void noExitIsAskedWhenNoMoreTokensMayWait() {
    CostTable t = Tables.of(Tables.norm(4, 2));
    assertThat(seconds(t, 0, 0, 0)).isCloseTo(2 * 14, within(EXACT));
    assertThat(seconds(t, 1, 4, 0)).isCloseTo(4 + 2 + 4 + 6 * 1.1 + 4, within(EXACT));
  }

  @Test
  void aDraftHeadBehindTheLastLayerSavesTheHeadAndLeavesNoTokenToComplete() {
    CostTable t = Tables.of(Tables.norm(4, 2), Tables.norm(10, 0.5));
    // the second is not asked at 4, where one waits already, and takes that one's layers along
    double second = 4 + 6 * 1.1 + 0.5;
    assertThat(seconds(t, 1, 4, 10, 0)).isCloseTo(4 + 2 + second + (10 + 2.5 + 4), within(EXACT));
    assertThat(seconds(t, 0, 10, 10)).isCloseTo(2 * (10 + 0.5), within(EXACT));
    assertThat(EarlyExitCost.atShare(t, 10, 0.75, 0)).isCloseTo(10 + 0.5 + 1, within(EXACT));
    assertThat(EarlyExitCost.bestSpeedup(t, 10, 15)).isCloseTo(14 / 10.5, within(EXACT));
    assertThat(Payoffs.of(t, 15).drafts().getFirst().byExit()).containsOnlyKeys(4);
  }

  @Test
  void draftsGoDownWithTheTokenJustChosen() {
    CostTable t = Tables.of(Tables.norm(4, 2));
    EarlyExitCost cost = new EarlyExitCost(t, List.of(4), 15, false);
    // three rows through four layers and the exit, where two leave; the third takes all on, and the
    // head is read for it alone
    double three = 4 * 1.2 + 2 * 6.0 / 4 + 6 * 1.2 + 4;
    assertThat(cost.seconds(100, new int[] {4, 4, 0}, new int[] {3, 0, 0}))
        .isCloseTo(three, within(EXACT));
    // a second draft token that was wrong goes down too, and the head is read for it as well
    double wrong = 4 * 1.2 + 2 * 6.0 / 4 + 6 * 1.2 + 5;
    assertThat(cost.seconds(100, new int[] {4, 0, 4}, new int[] {3, 0, 1}))
        .isCloseTo(wrong + 4 + 2, within(EXACT));
    assertThat(cost.seconds(100, new int[] {4, 0}, EarlyExitCost.alone(2)))
        .isCloseTo(cost.seconds(100, new int[] {4, 0}), within(EXACT));
  }

  @Test
  void farPositionsCostAttention() {
    CostTable near = Tables.of(Tables.norm(4, 2));
    CostTable t =
        new CostTable(
            10, 64, near.layer(), RowTimes.constant(0.01), near.head(), 0.5, near.exits());
    assertThat(new EarlyExitCost(t, List.of(4), 15, false).seconds(164, new int[] {4}))
        .isCloseTo(0.5 + 4 * (1 + 0.01 * 100) + 2, within(EXACT));
    assertThat(t.fullDepth(64)).isCloseTo(14.5, within(EXACT));
  }

  @ParameterizedTest
  @CsvSource({"0.2,15", "0.6,15", "0.9,15", "0.9,3", "1,15", "0,15", "0.5,0"})
  void theAverageByShareIsThatOfManyTokensLeavingByChance(double share, int maxPending) {
    CostTable t = Tables.of(Tables.layer(6, 0.7));
    SplittableRandom random = new SplittableRandom(7);
    int[] exits = new int[400_000];
    int pending = 0;
    for (int i = 0; i < exits.length; i++) {
      boolean leaves = pending < maxPending && random.nextDouble() < share;
      exits[i] = leaves ? 6 : 0;
      pending = leaves ? pending + 1 : 0;
    }
    double mean = seconds(t, maxPending, exits) / exits.length;
    assertThat(EarlyExitCost.atShare(t, 6, share, maxPending)).isCloseTo(mean, within(0.02));
  }

  @Test
  void anExitPaysFromItsBreakEvenShareOn() {
    CostTable t = Tables.of(Tables.norm(4, 2));
    double share = EarlyExitCost.breakEven(t, 4, 15).orElseThrow();
    double full = t.fullDepth(64);
    assertThat(share).isBetween(0.15, 0.5);
    assertThat(EarlyExitCost.atShare(t, 4, share, 15)).isLessThan(full);
    assertThat(EarlyExitCost.atShare(t, 4, share - 0.002, 15)).isGreaterThanOrEqualTo(full);
    assertThat(EarlyExitCost.bestSpeedup(t, 4, 15)).isBetween(1.5, 14 / 6.0);
  }

  @Test
  void anExitWhoseCheckCostsMoreThanItSavesNeverPays() {
    CostTable t = Tables.of(Tables.norm(9, 5));
    assertThat(EarlyExitCost.breakEven(t, 9, 15)).isEmpty();
    assertThat(EarlyExitCost.bestSpeedup(t, 9, 15)).isLessThan(1);
  }
}
