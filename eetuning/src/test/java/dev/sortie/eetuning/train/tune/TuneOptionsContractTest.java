package dev.sortie.eetuning.train.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.nn.optim.Schedule;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TuneOptionsContractTest {

  private static TuneOptions options(int micro, int global, Map<Integer, Double> weights) {
    Schedule schedule = new Schedule(0.01, 0.001, 2, 10, Schedule.Decay.LINEAR);
    return new TuneOptions(
        Objective.KL, true, weights, micro, global, schedule, AdamW.Options.DEFAULT, 3);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "-1, 4", "4, 6", "4, 2", "4, 0"})
  void batchesThatDoNotFitAreRefusedWithBothSizes(int micro, int global) {
    assertThatThrownBy(() -> options(micro, global, Map.of()))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--global-batch " + global)
        .hasMessageContaining("--micro-batch " + micro);
  }

  @Test
  void microBatchesAddUpToTheGlobalBatch() {
    assertThat(options(4, 12, Map.of()).microBatches()).isEqualTo(3);
    assertThat(options(4, 4, Map.of()).microBatches()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, -1, Double.NaN, Double.POSITIVE_INFINITY})
  void exitWeightsThatAreNotPositiveAreRefused(double weight) {
    assertThatThrownBy(() -> options(1, 1, Map.of(2, weight)))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--exit-weight 2=" + weight);
  }

  @Test
  void theDescriptionNamesEverythingThatDecidesTheResult() {
    assertThat(options(2, 4, Map.of(2, 0.5)).describe())
        .containsEntry("objective", "kl")
        .containsEntry("token_weights", "confidence")
        .containsEntry("exit_weights", Map.of("2", 0.5))
        .containsEntry("micro_batch", 2)
        .containsEntry("global_batch", 4)
        .containsEntry("steps", 10)
        .containsEntry("lr", 0.01)
        .containsEntry("min_lr", 0.001)
        .containsEntry("warmup", 2)
        .containsEntry("decay", "linear")
        .containsEntry("weight_decay", 0.01)
        .containsEntry("clip", 1.0)
        .containsEntry("seed", 3L);
  }

  @Test
  void anUnknownObjectiveIsRefusedWithTheKnownOnes() {
    assertThat(Objective.of("ce")).isEqualTo(Objective.CE);
    assertThatThrownBy(() -> Objective.of("mse"))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--objective 'mse'")
        .hasMessageContaining("ce or kl");
  }
}
