package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Sources that say how likely their draft tokens are right. */
class DraftCalibrationContractTest {
  private static Draft draft(double... probabilities) {
    return new Draft(new int[probabilities.length], 0, probabilities);
  }

  @Test
  void atFirstASourceIsBelieved() {
    double[] expected = new DraftCalibration().expected(draft(0.5, 0.4));
    assertThat(expected).containsExactly(new double[] {0, 0.5, 0.7}, within(1e-12));
  }

  @Test
  void promisesThatAreNotKeptCountForLessPlaceByPlace() {
    DraftCalibration calibration = new DraftCalibration();
    for (int i = 0; i < 200; i++) {
      calibration.compared(
          draft(0.8, 0.8), i % 2); // the first in every second draft, the next never
    }
    double[] expected = calibration.expected(draft(0.8, 0.8));
    assertThat(expected[1]).isCloseTo(0.5, within(0.05));
    assertThat(expected[2] - expected[1]).isLessThan(0.08);
  }

  /** Passes take a second, asking a tenth of one. */
  private static AdaptiveDraftLength asked(double probability, int times, int[] count) {
    AdaptiveDraftLength lengths =
        new AdaptiveDraftLength(
            new double[] {0.1}, new boolean[] {true}, List.of((kind, place) -> 0.5));
    for (int i = 0; i < times; i++) {
      if (lengths.asks(0, 0)) {
        count[0]++;
        Draft d = draft(probability);
        var other = new DraftLength.Choice(0, lengths.plainRate());
        lengths.weigh(0, 0, d, other, 0.1);
      }
      lengths.finished(-1, 0, 1, 1);
    }
    return lengths;
  }

  @Test
  void aSourceThatPromisesLittleIsAskedSeldom() {
    int[] count = {0};
    asked(0.05, 1000, count);
    assertThat(count[0]).isBetween(20, 80);
    count[0] = 0;
    asked(0.9, 1000, count);
    assertThat(count[0]).isGreaterThan(900);
  }

  @Test
  void theLengthFollowsFromTheProbabilities() {
    AdaptiveDraftLength lengths = asked(0.9, 10, new int[1]);
    var other = new DraftLength.Choice(0, lengths.plainRate());
    assertThat(lengths.weigh(0, 0, draft(0.9, 0.9, 0.02), other, 0.1).length()).isEqualTo(2);
    assertThat(lengths.weigh(0, 0, draft(0.9, 0.05), other, 0.1).length()).isEqualTo(1);
    assertThat(lengths.weigh(0, 0, Draft.NONE, other, 0.1).length()).isZero();
  }
}
