package dev.sortie.eetuning.train.loop;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Tokens a second of a run's steps. */
class StepTimesContractTest {

  @Test
  void theSteadyRateIsThatOfTheMedianStepOfTheLaterHalf() {
    StepTimes times = new StepTimes(100);
    assertThat(times.mean()).isZero();
    assertThat(times.steady()).isZero();
    for (double seconds : new double[] {50, 9, 1, 2, 30, 4}) {
      times.add(seconds);
    }
    assertThat(times.mean()).isEqualTo(600 / 96.0);
    assertThat(times.steady()).isEqualTo(25);
  }

  @Test
  void aStepTakesFromTheEndOfTheOneBeforeButForWhatIsNoStep() {
    long[] now = {5_000_000_000L};
    StepTimes times = new StepTimes(100, () -> now[0]);
    now[0] += 2_000_000_000L;
    assertThat(times.lap()).isEqualTo(2);
    now[0] += 3_000_000_000L;
    assertThat(times.lap()).isEqualTo(3);
    now[0] += 60_000_000_000L; // a validation
    times.start();
    now[0] += 5_000_000_000L;
    assertThat(times.lap()).isEqualTo(5);
    assertThat(times.mean()).isEqualTo(30);
  }
}
