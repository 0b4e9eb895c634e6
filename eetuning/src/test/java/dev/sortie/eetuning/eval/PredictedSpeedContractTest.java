package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.ExitCost;
import dev.sortie.eetuning.cost.RowTimes;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.SpeculationReport;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PredictedSpeedContractTest {
  private static final int TOKENS = 9;
  private static final double CHECK = 0.5;

  /** Ten layers of 1, a head of 4, and an exit after layer 2. */
  private static final PredictedSpeed PREDICTION =
      new PredictedSpeed(
          new CostTable(
              10,
              64,
              RowTimes.constant(1),
              RowTimes.constant(0),
              RowTimes.constant(4),
              0,
              List.of(new ExitCost(2, Optional.empty(), CHECK))));

  /** A text after one token, of which each was decided by the final layer. */
  private static final PairedRuns.Decoded TEXT =
      new PairedRuns.Decoded(
          new Generation(
              new int[] {1},
              Collections.nCopies(
                  1 + TOKENS,
                  new GeneratedToken(7, " a", OptionalInt.empty(), 0.5, Optional.empty())),
              "",
              "length",
              0,
              1),
          SpeculationReport.NONE);

  private static double seconds(Technique technique, List<Integer> active) {
    DecodingVariant variant =
        new DecodingVariant(
            "any",
            technique,
            1,
            active,
            false,
            0,
            _ -> {
              throw new AssertionError("the text is there");
            });
    return PREDICTION.seconds(variant, TEXT);
  }

  /** As in decoding at a threshold of 1, which is full depth. */
  @Test
  void exitsAtWhichNoTokenMayLeaveCostNothing() {
    double full = seconds(Technique.NONE, List.of());
    assertThat(full).isEqualTo(TOKENS * (10 + 4));
    assertThat(seconds(Technique.NONE, List.of(2))).isEqualTo(full);
    assertThat(seconds(Technique.DRAFTS, List.of(2))).isEqualTo(full);
    assertThat(seconds(Technique.EXITS, List.of(2))).isCloseTo(full + TOKENS * CHECK, within(1e-9));
  }
}
