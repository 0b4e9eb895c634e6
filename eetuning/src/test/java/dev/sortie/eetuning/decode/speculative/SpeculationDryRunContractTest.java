package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SpeculationDryRunContractTest {
  private static final int GIVEN = 7;

  /** Each token is read by the pass that begins there, or by the last one that began before. */
  private static void covers(int[] rows) {
    int end = 0;
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] == 0) {
        assertThat(i).isLessThan(end);
      } else {
        assertThat(rows[i]).isLessThanOrEqualTo(1 + Speculative.MAX_DRAFT);
        end = i + rows[i];
      }
    }
  }

  @Test
  void aTextThatRepeatsItselfIsReadInFewPasses() {
    int[] text = new int[200];
    Arrays.setAll(text, i -> i % 9);
    int[] rows = SpeculationDryRun.rows(text, GIVEN, n -> 1 + 0.1 * (n - 1));
    assertThat(rows).hasSize(200 - 1 - GIVEN);
    covers(rows);
    assertThat(Arrays.stream(rows).filter(r -> r > 0).count()).isLessThan(60);
  }

  @Test
  void whatNeverRepeatsOrCostsTooMuchIsReadTokenByToken() {
    int[] text = new Random(1).ints(200, 0, 1 << 20).toArray();
    assertThat(SpeculationDryRun.rows(text, GIVEN, n -> 1)).containsOnly(1);
    Arrays.setAll(text, i -> i % 9);
    assertThat(
            Arrays.stream(SpeculationDryRun.rows(text, GIVEN, n -> n * n))
                .filter(r -> r > 1)
                .count())
        .isLessThan(20);
  }
}
