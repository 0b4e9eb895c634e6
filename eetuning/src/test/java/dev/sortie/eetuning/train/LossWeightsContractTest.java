package dev.sortie.eetuning.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.InputException;
import dev.sortie.nn.optim.Schedule.Decay;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Weights of exits' losses warm up, cool down or stay. */
class LossWeightsContractTest {
  private static LossWeights weights(double start, int steps, Decay ramp) {
    return new LossWeights(Map.of(4, 0.5), start, steps, ramp);
  }

  @Test
  void weightsGoFromTheirStartToTheirValue() {
    LossWeights up = weights(0, 10, Decay.LINEAR);
    assertThat(up.at(4, 0)).isZero();
    assertThat(up.at(4, 5)).isCloseTo(0.25, within(1e-12));
    assertThat(up.at(4, 10)).isEqualTo(0.5);
    assertThat(up.at(4, 1000)).isEqualTo(0.5);
    LossWeights down = weights(3, 10, Decay.COSINE);
    assertThat(down.at(4, 0)).isEqualTo(1.5);
    assertThat(down.at(4, 5)).isCloseTo(1, within(1e-12));
    assertThat(down.at(4, 1)).isBetween(1.45, 1.5);
    assertThat(weights(1, 0, Decay.LINEAR).at(4, 0)).isEqualTo(0.5);
  }

  @Test
  void rampsThatGoNowhereAreRefused() {
    assertThatThrownBy(() -> weights(0.1, 0, Decay.LINEAR))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--exit-weight-start 0.1 needs --exit-weight-steps");
    assertThatThrownBy(() -> weights(-1, 5, Decay.LINEAR))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--exit-weight-start -1.0 must be 0 or more");
    assertThatThrownBy(() -> weights(0, 5, Decay.CONSTANT))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--exit-weight-ramp");
  }
}
