package dev.sortie.eetuning.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.ExitCost;
import dev.sortie.eetuning.cost.RowTimes;
import dev.sortie.nn.InputException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Repeated splits measure thresholds on sequences that these were not calibrated on. */
@Tag("any-kernels")
class SplitsContractTest {
  private static final double LEVEL = 0.1;

  /** Exits that cost nothing, so that the lowest certified threshold is the fastest. */
  private static Calibration calibration(Guarantee guarantee) {
    CostTable table =
        new CostTable(
            10,
            64,
            new RowTimes(new TreeMap<>(Map.of(1, 1.0, 16, 2.0))),
            RowTimes.constant(0),
            RowTimes.constant(1),
            0,
            List.of(new ExitCost(4, Optional.empty(), 0), new ExitCost(8, Optional.empty(), 0)));
    return new Calibration(guarantee, Risk.DISAGREEMENT, false, table);
  }

  private static Calibration certain() {
    return calibration(new LearnThenTest(LEVEL, 0.9, MeanTest.HOEFFDING_BENTKUS));
  }

  @Test
  void oneSplitIsACalibrationOnTwoThirdsMeasuredOnTheOthers() {
    List<Trajectory> all = Synthetic.sequences(90, new SplittableRandom(5));
    Calibration c = calibration(new ConformalRiskControl(LEVEL));
    Splits.Result r = new Splits(c, 1).run(all);
    List<Trajectory> shuffled = new ArrayList<>(all);
    Collections.shuffle(shuffled, new Random(1));
    var thresholds =
        c.run(shuffled.subList(30, 90)).chosen().orElseThrow().tested().candidate().thresholds();
    double risk =
        shuffled.subList(0, 30).stream()
            .mapToDouble(t -> t.meanLoss(thresholds))
            .average()
            .orElseThrow();
    assertThat(r.sequences()).isEqualTo(60);
    assertThat(r.heldOut()).isEqualTo(30);
    assertThat(r.certified()).isEqualTo(1);
    assertThat(r.risk()).isCloseTo(risk, within(1e-12));
    assertThat(r.above()).isEqualTo(risk > LEVEL ? 1 : 0);
    assertThat(r.earlyShare()).isBetween(0.01, 0.99);
    assertThat(new Splits(c, 1).run(all)).isEqualTo(r);
  }

  @Test
  void theGuaranteeOnAverageIsWeakerAndLetsMoreTokensLeave() {
    List<Trajectory> all = Synthetic.sequences(240, new SplittableRandom(6));
    Splits.Result often = new Splits(certain(), 100).run(all);
    Splits.Result mean = new Splits(calibration(new ConformalRiskControl(LEVEL)), 100).run(all);
    assertThat(mean.risk()).isBetween(often.risk(), LEVEL + 0.01);
    assertThat(mean.earlyShare()).isGreaterThan(often.earlyShare());
    assertThat(often.above()).isLessThanOrEqualTo(0.2).isLessThan(mean.above());
  }

  @Test
  void tooFewSequencesOrSplitsAreRefused() {
    Splits any = new Splits(calibration(new ConformalRiskControl(0.9)), 5);
    assertThatThrownBy(() -> any.require(2))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("--splits", "there are 2", "at least 3");
    assertThat(any.run(Synthetic.sequences(3, new SplittableRandom(5))).heldOut()).isEqualTo(1);
    assertThatThrownBy(() -> new Splits(certain(), 0))
        .isInstanceOf(InputException.class)
        .hasMessage("--splits 0 must be at least 1");
    // 22 certify something at this level and confidence; two thirds of 30 are 20
    assertThatThrownBy(() -> new Splits(certain(), 1).require(30))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("20 sequences cannot certify --level 0.1")
        .hasMessageContaining("at least 22");
    new Splits(certain(), 1).require(33);
  }
}
