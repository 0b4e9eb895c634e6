package dev.sortie.eetuning.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.SpeculationReport.Pass;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A pass over one row takes 10 + 4, over two 11 + 5, over three 12 + 6. */
class SpeculationCostContractTest {
  private static final double EXACT = 1e-9;

  private static double seconds(CostTable table, int depth, Pass... trace) {
    return new SpeculationCost(table, depth).seconds(List.of(trace));
  }

  private static Pass pass(int position, String source, int asked, int drafted, int accepted) {
    int looks = source.equals("lookahead") ? asked : 0;
    return new Pass(position, source, asked, drafted, accepted, looks, 0);
  }

  @Test
  void draftsOfThePromptCostTheirRows() {
    double t = seconds(Tables.of(), 0, pass(70, "", 0, 0, 0), pass(71, "prompt-lookup", 1, 1, 1));
    assertThat(t).isCloseTo(14 + 16, within(EXACT));
  }

  @Test
  void anExitThatDraftsLooksAtEachTokenAndOnceMoreWhereItGivesUp() {
    CostTable t = Tables.of(Tables.norm(4, 2));
    // two looks of four layers and a check; the last draft token goes alone through the four; six
    // above
    double full = 2 * (4 + 2) + 4 + 6 * 1.2 + 6;
    assertThat(seconds(t, 4, pass(64, "early-exit", 2, 2, 1))).isCloseTo(full, within(EXACT));
    // asked for five it gave two: three looks, nothing is left for the lower layers
    double gaveUp = 3 * (4 + 2) + 6 * 1.2 + 6;
    assertThat(seconds(t, 4, pass(64, "early-exit", 5, 2, 1))).isCloseTo(gaveUp, within(EXACT));
  }

  @Test
  void theExitsOwnLayerCatchesUpWithTokensThatCameWithoutIt() {
    CostTable t = Tables.of(Tables.layer(4, 2));
    double plain = 14;
    double late = 4 + 1.1 + 2 + 4 + 6 * 1.1 + 5;
    assertThat(seconds(t, 4, pass(64, "", 0, 0, 0), pass(65, "early-exit", 1, 1, 0)))
        .isCloseTo(plain + late, within(EXACT));
  }

  @Test
  void aLookaheadExitCatchesUpOnceAndThenContinuesTokenByToken() {
    CostTable t = Tables.withLookahead();
    double first = 1 + 2 + 1.5 + 12 + 6;
    // two tokens came of the first pass
    double second = 1.1 + 2 + 11 + 5;
    assertThat(seconds(t, 0, pass(64, "lookahead", 2, 2, 1), pass(66, "lookahead", 1, 1, 1)))
        .isCloseTo(first + second, within(EXACT));
    // asked in vain, it costs the same
    double vain = 1 + 2 + 1.5 + 10 + 4;
    assertThat(seconds(t, 0, new Pass(64, "", 0, 0, 0, 2, 0))).isCloseTo(vain, within(EXACT));
    assertThatThrownBy(() -> seconds(Tables.of(), 0, pass(64, "lookahead", 1, 1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("lookahead");
  }
}
