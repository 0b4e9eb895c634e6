package dev.sortie.eetuning.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.InputException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
class ConformalRiskControlContractTest {
  private static final List<Candidate> PATH = Candidate.shared(Synthetic.DEPTHS);

  private static double loss(Candidate c, Trajectory t) {
    return t.meanLoss(c.thresholds());
  }

  /**
   * Few sequences, where the correction counts: the loss of a new sequence is below the level on
   * average, and above it where a mean below the level is enough.
   */
  @Test
  void theGuaranteeHoldsOnAverageAndTheMeanAloneDoesNot() {
    double level = 0.1;
    SplittableRandom random = new SplittableRandom(1);
    int calibrations = 3000;
    double sum = 0;
    double naive = 0;
    int left = 0;
    for (int r = 0; r < calibrations; r++) {
      List<Trajectory> sample = Synthetic.sequences(12, random);
      Trajectory next = Synthetic.sequence(random);
      Candidate chosen = null;
      for (Guarantee.Tested t :
          new ConformalRiskControl(level).run(PATH, sample, Risk.DISAGREEMENT)) {
        chosen = t.certified() ? t.candidate() : chosen;
      }
      Candidate byMean = null;
      for (Candidate c : PATH) {
        double mean = sample.stream().mapToDouble(t -> loss(c, t)).average().orElseThrow();
        byMean = mean <= level ? c : byMean;
      }
      sum += chosen == null ? 0 : loss(chosen, next);
      naive += byMean == null ? 0 : loss(byMean, next);
      left += chosen == null ? 0 : 1;
    }
    double error = 3 * 0.1 / Math.sqrt(calibrations); // losses spread by some 0.1
    assertThat(sum / calibrations).isLessThan(level + error);
    assertThat(naive / calibrations).isGreaterThan(level - error);
    assertThat(sum / calibrations).isLessThan(naive / calibrations - error);
    assertThat(left).as("calibrations that certify something").isGreaterThan(calibrations / 2);
  }

  @Test
  void theBoundIsThatOfThePaperAndNeverFalls() {
    List<Trajectory> sample = Synthetic.sequences(50, new SplittableRandom(4));
    List<Guarantee.Tested> tested =
        new ConformalRiskControl(0.2).run(PATH, sample, Risk.DISAGREEMENT);
    double[] worst = new double[50];
    double before = 0;
    for (Guarantee.Tested t : tested) {
      double mean = 0;
      double most = 0;
      for (int i = 0; i < 50; i++) {
        double loss = loss(t.candidate(), sample.get(i));
        worst[i] = Math.max(worst[i], loss);
        mean += loss / 50;
        most += worst[i];
      }
      assertThat(t.risk()).isCloseTo(mean, within(1e-12));
      assertThat(t.score())
          .isCloseTo((most + 1) / 51, within(1e-12))
          .isGreaterThanOrEqualTo(before);
      assertThat(t.certified()).isEqualTo(t.score() <= 0.2);
      before = t.score();
    }
    assertThat(tested.subList(0, tested.size() - 1)).allMatch(Guarantee.Tested::certified);
    assertThat(tested.getLast().certified()).isFalse();
  }

  @Test
  void itNeedsFewerSequences() {
    assertThat(new ConformalRiskControl(0.05).fewest()).isEqualTo(19);
    assertThat(new ConformalRiskControl(0.1).fewest()).isEqualTo(9);
    assertThat(new ConformalRiskControl(0.9).fewest()).isEqualTo(1);
    for (double level : new double[] {0.3, 0.07, 0.011, 0.001}) {
      Guarantee g = new ConformalRiskControl(level);
      assertThat(1.0 / (g.fewest() + 1)).isLessThanOrEqualTo(level);
      assertThat(1.0 / g.fewest()).isGreaterThan(level);
      assertThat(g.fewest())
          .isLessThan(new LearnThenTest(level, 0.95, MeanTest.HOEFFDING_BENTKUS).fewest());
    }
  }

  @Test
  void wordsNameGuarantees() {
    assertThat(Guarantee.of("marginal", 0.1, OptionalDouble.empty(), null))
        .isEqualTo(new ConformalRiskControl(0.1));
    assertThat(Guarantee.of("high-probability", 0.1, OptionalDouble.empty(), null))
        .isEqualTo(new LearnThenTest(0.1, 0.95, MeanTest.HOEFFDING_BENTKUS));
    assertThat(Guarantee.of("high-probability", 0.1, OptionalDouble.of(0.8), "betting"))
        .isEqualTo(new LearnThenTest(0.1, 0.8, MeanTest.BETTING));
    List<String> messages = new ArrayList<>();
    for (Runnable bad :
        List.<Runnable>of(
            () -> Guarantee.of("marginal", 0.1, OptionalDouble.of(0.8), null),
            () -> Guarantee.of("marginal", 0.1, OptionalDouble.empty(), "betting"),
            () -> Guarantee.of("certain", 0.1, OptionalDouble.empty(), null),
            () -> Guarantee.of("marginal", 1, OptionalDouble.empty(), null))) {
      assertThatThrownBy(bad::run)
          .isInstanceOf(InputException.class)
          .satisfies(e -> messages.add(e.getMessage()));
    }
    assertThat(messages.get(0)).startsWith("--confidence 0.8 does not apply");
    assertThat(messages.get(1)).startsWith("--test betting does not apply");
    assertThat(messages.get(2)).startsWith("--guarantee 'certain' is unknown");
    assertThat(messages.get(3)).isEqualTo("--level 1.0 is not above 0 and below 1");
  }
}
