package dev.sortie.eetuning.decode.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.nn.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MaxProbabilityContractTest {

  @Test
  void leavesWhereTheThresholdIsReached() {
    MaxProbability policy = new MaxProbability(0.8);
    assertThat(policy.exits(4, 0.8)).isTrue();
    assertThat(policy.exits(4, Math.nextDown(0.8))).isFalse();
    assertThat(policy.exits(4, Double.NaN)).isFalse();
    assertThat(policy.never()).isFalse();
  }

  @Test
  void thresholdOneNeverLeavesEvenAtCertainty() {
    MaxProbability policy = new MaxProbability(1);
    assertThat(policy.never()).isTrue();
    assertThat(policy.exits(1, 1)).isFalse();
    assertThat(new MaxProbability(Math.nextDown(1.0)).exits(1, 1)).isTrue();
  }

  @Test
  void thresholdZeroAlwaysLeaves() {
    assertThat(new MaxProbability(0).exits(1, 0)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.01, 1.01, 2, Double.NaN})
  void thresholdsOutOfRangeAreRefused(double threshold) {
    assertThatThrownBy(() -> new MaxProbability(threshold))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("threshold " + threshold)
        .hasMessageContaining("0 to 1");
  }
}
