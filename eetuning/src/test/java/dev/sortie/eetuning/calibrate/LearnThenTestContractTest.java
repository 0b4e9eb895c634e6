package dev.sortie.eetuning.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.InputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("slow")
class LearnThenTestContractTest {
  private static final double LEVEL = 0.05;
  private static final double CONFIDENCE = 0.9;
  private static final int RESAMPLES = 400;
  private static final int SEQUENCES = 250;

  /**
   * Probability that more than this many of the resamples fail, if 0.1 of them should: below 0.001.
   */
  private static final int FAILURES = 60;

  private static final List<Candidate> PATH = Candidate.shared(Synthetic.DEPTHS);

  /** The risk of each candidate, from so many sequences that its error does not matter. */
  private static Map<Double, Double> risks() {
    List<Trajectory> many = Synthetic.sequences(20_000, new SplittableRandom(99));
    Map<Double, Double> risks = new HashMap<>();
    for (Candidate c : PATH) {
      risks.put(
          c.name(),
          many.stream().mapToDouble(t -> t.meanLoss(c.thresholds())).average().orElseThrow());
    }
    return risks;
  }

  @ParameterizedTest
  @EnumSource(MeanTest.class)
  void thePromiseHoldsOverManyCalibrations(MeanTest test) {
    Map<Double, Double> risks = risks();
    // the hardest level: a candidate's true risk is just above it
    double level =
        0.998 * risks.values().stream().filter(r -> r > 0.04).mapToDouble(r -> r).min().orElse(0);
    LearnThenTest ltt = new LearnThenTest(level, CONFIDENCE, test);
    SplittableRandom random = new SplittableRandom(1);
    int broken = 0;
    int useful = 0;
    int naivelyBroken = 0;
    for (int r = 0; r < RESAMPLES; r++) {
      List<Trajectory> sample = Synthetic.sequences(SEQUENCES, random);
      double chosen = 1;
      double naive = 1;
      for (Candidate c : PATH) {
        double mean =
            sample.stream().mapToDouble(t -> t.meanLoss(c.thresholds())).average().orElseThrow();
        naive = mean <= level ? c.name() : naive;
      }
      for (Guarantee.Tested t : ltt.run(PATH, sample, Risk.DISAGREEMENT)) {
        chosen = t.certified() ? t.candidate().name() : chosen;
      }
      broken += chosen < 1 && risks.get(chosen) > level ? 1 : 0;
      useful += chosen < 0.9 ? 1 : 0;
      naivelyBroken += naive < 1 && risks.get(naive) > level ? 1 : 0;
    }
    assertThat(broken).as("calibrations whose true risk is above the level").isLessThan(FAILURES);
    assertThat(useful).as("calibrations that let tokens leave").isGreaterThan(RESAMPLES * 9 / 10);
    // what the test is there for: the empirical mean alone breaks the promise far more often
    assertThat(naivelyBroken).isGreaterThan(FAILURES);
  }

  @Test
  void pValuesAreThoseOfTheFormulas() {
    double[] none = new double[100];
    assertThat(MeanTest.HOEFFDING_BENTKUS.pValue(none, 0.05))
        .isCloseTo(Math.pow(0.95, 100), within(1e-12));
    double[] half = new double[100];
    java.util.Arrays.fill(half, 0.02);
    double kl = 0.02 * Math.log(0.02 / 0.05) + 0.98 * Math.log(0.98 / 0.95);
    double tail = 0;
    for (int k = 0; k <= 2; k++) {
      double ways = k == 0 ? 1 : k == 1 ? 100 : 4950;
      tail += ways * Math.pow(0.05, k) * Math.pow(0.95, 100 - k);
    }
    assertThat(MeanTest.HOEFFDING_BENTKUS.pValue(half, 0.05))
        .isCloseTo(Math.min(Math.exp(-100 * kl), Math.E * tail), within(1e-9));
    java.util.Arrays.fill(half, 0.05);
    assertThat(MeanTest.HOEFFDING_BENTKUS.pValue(half, 0.05)).isCloseTo(1, within(1e-9));
    assertThat(MeanTest.binomialTail(10, 0.5, 10)).isCloseTo(1, within(1e-12));
    assertThat(MeanTest.HOEFFDING_BENTKUS.fewest(0.05, 0.05)).isEqualTo(59);
  }

  @ParameterizedTest
  @EnumSource(MeanTest.class)
  void theFewestSequencesSufficeAndOneLessDoesNot(MeanTest test) {
    for (double level : List.of(0.3, 0.05, 0.002, 0.0007)) {
      int fewest = test.fewest(level, 0.05);
      assertThat(test.pValue(new double[fewest], level)).as("%s", level).isLessThanOrEqualTo(0.05);
      assertThat(test.pValue(new double[fewest - 1], level)).as("%s", level).isGreaterThan(0.05);
    }
    assertThatThrownBy(() -> test.fewest(1e-8, 0.05))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("more than 16777216 sequences");
  }

  @ParameterizedTest
  @EnumSource(MeanTest.class)
  void pValuesAreSmallNoMoreOftenThanTheySay(MeanTest test) {
    SplittableRandom random = new SplittableRandom(3);
    int small = 0;
    for (int r = 0; r < 2000; r++) {
      double[] losses = new double[120];
      for (int i = 0; i < losses.length; i++) {
        // mean 0.1, just the level
        losses[i] = random.nextDouble() < 0.2 ? random.nextDouble() : 0;
      }
      small += test.pValue(losses, 0.1) <= 0.1 ? 1 : 0;
    }
    assertThat(small).isLessThan(200 + 60);
  }

  @Test
  void testingStopsAtTheFirstCandidateThatFails() {
    List<Trajectory> sample = Synthetic.sequences(SEQUENCES, new SplittableRandom(5));
    List<Guarantee.Tested> tested =
        new LearnThenTest(LEVEL, CONFIDENCE, MeanTest.HOEFFDING_BENTKUS)
            .run(PATH, sample, Risk.DISAGREEMENT);
    assertThat(tested).hasSizeBetween(2, PATH.size() - 1);
    assertThat(tested.subList(0, tested.size() - 1)).allMatch(Guarantee.Tested::certified);
    assertThat(tested.getLast().certified()).isFalse();
    assertThat(tested.getLast().score()).isGreaterThan(1 - CONFIDENCE);
  }

  @Test
  void levelsAndConfidencesOutsideZeroToOneAreRefused() {
    assertThatThrownBy(() -> new LearnThenTest(0, 0.9, MeanTest.BETTING))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--level 0.0");
    assertThatThrownBy(() -> new LearnThenTest(0.1, 1, MeanTest.BETTING))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("--confidence 1.0");
  }
}
