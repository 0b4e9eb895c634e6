package dev.sortie.nn.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.InputException;
import dev.sortie.nn.optim.Schedule.Decay;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleContractTest {
  private static final double PEAK = 1e-2;
  private static final double FLOOR = 2e-3;

  private static Schedule schedule(int warmup, int steps, Decay decay) {
    return new Schedule(PEAK, FLOOR, warmup, steps, decay);
  }

  @ParameterizedTest
  @EnumSource(Decay.class)
  void theRateRisesInEqualStepsToThePeak(Decay decay) {
    Schedule s = schedule(4, 12, decay);
    assertThat(s.at(0)).isEqualTo(PEAK / 4);
    assertThat(s.at(1)).isEqualTo(PEAK / 2);
    assertThat(s.at(2)).isEqualTo(PEAK * 3 / 4);
    assertThat(s.at(3)).isEqualTo(PEAK);
    assertThat(s.at(4)).isEqualTo(PEAK);
  }

  @Test
  void linearDecayIsAStraightLineToTheFloor() {
    Schedule s = schedule(2, 10, Decay.LINEAR);
    assertThat(s.at(6)).isCloseTo((PEAK + FLOOR) / 2, within(1e-15));
    assertThat(s.at(4)).isCloseTo(PEAK - (PEAK - FLOOR) / 4, within(1e-15));
    assertThat(s.at(10)).isCloseTo(FLOOR, within(1e-15));
  }

  @Test
  void cosineDecayIsHalfAWaveToTheFloor() {
    Schedule s = schedule(2, 10, Decay.COSINE);
    assertThat(s.at(6)).isCloseTo((PEAK + FLOOR) / 2, within(1e-15));
    // cos(pi / 4) = sqrt(1/2)
    assertThat(s.at(4)).isCloseTo(FLOOR + (PEAK - FLOOR) * (1 + Math.sqrt(0.5)) / 2, within(1e-15));
    assertThat(s.at(10)).isCloseTo(FLOOR, within(1e-15));
  }

  @Test
  void constantDecayIsNone() {
    Schedule s = schedule(2, 10, Decay.CONSTANT);
    assertThat(s.at(9)).isEqualTo(PEAK);
    assertThat(s.at(99)).isEqualTo(PEAK);
  }

  @ParameterizedTest
  @EnumSource(Decay.class)
  void withoutWarmUpTheFirstStepHasThePeak(Decay decay) {
    assertThat(schedule(0, 5, decay).at(0)).isEqualTo(PEAK);
  }

  @ParameterizedTest
  @EnumSource(
      value = Decay.class,
      names = {"LINEAR", "COSINE"})
  void afterTheLastStepTheFloorStays(Decay decay) {
    assertThat(schedule(2, 10, decay).at(50)).isCloseTo(FLOOR, within(1e-15));
    // nothing but warm-up
    assertThat(schedule(4, 4, decay).at(3)).isEqualTo(PEAK);
    assertThat(schedule(4, 4, decay).at(4)).isCloseTo(FLOOR, within(1e-15));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 5, learning rate 0.0",
    "-1, 0, 0, 5, learning rate -1.0",
    "NaN, 0, 0, 5, learning rate NaN",
    "1, 2, 0, 5, floor 2.0",
    "1, -1, 0, 5, floor -1.0",
    "1, NaN, 0, 5, floor NaN",
    "1, 0, 6, 5, warm-up of 6 steps does not fit in 5",
    "1, 0, -1, 5, warm-up of -1",
    "1, 0, 0, 0, 0 steps"
  })
  void numbersThatDoNotFitAreRefused(
      double peak, double floor, int warmup, int steps, String message) {
    assertThatThrownBy(() -> new Schedule(peak, floor, warmup, steps, Decay.COSINE))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(message);
  }
}
