package dev.sortie.eetuning.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DraftCostContractTest {
  private static final double EXACT = 1e-9;
  private static final CostTable TABLE = Tables.of();

  @Test
  void draftsPayFromTheirBreakEvenChanceOn() {
    DraftCost free = DraftCost.of(TABLE, 0);
    double probability = free.breakEven(3).orElseThrow();
    assertThat(free.speedup(3, probability + 1e-6)).isGreaterThan(1);
    assertThat(free.speedup(3, probability - 1e-6)).isLessThan(1);
    // a pass over four rows costs 13 + 7, full depth 14: 1 + a + a² + a³ = 20 / 14
    assertThat(DraftCost.tokens(3, probability)).isCloseTo(20 / 14.0, within(1e-6));
    assertThat(DraftCost.of(TABLE, 1).breakEven(3).orElseThrow()).isGreaterThan(probability);
  }

  @Test
  void draftsOfAnExitAreCheckedFromItsDepthOn() {
    CostTable t = Tables.of(Tables.norm(4, 2));
    DraftCost c = DraftCost.byExit(t, 4);
    // two drafts of four layers and a check each; the second one's four layers; three rows above
    double pass = 2 * (4 + 2) + 4 + 6 * 1.2 + 6;
    assertThat(c.pass(2, 64)).isCloseTo(pass, within(EXACT));
    double probability = c.breakEven(2).orElse(2);
    assertThat(DraftCost.tokens(2, probability)).isCloseTo(pass / 14, within(1e-6));
  }

  @Test
  void dearDraftsNeverPay() {
    assertThat(DraftCost.of(TABLE, 14).breakEven(4)).isEmpty();
  }
}
