package dev.sortie.eetuning.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.eval.MeasurementError.Verdict;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

class MeasurementErrorContractTest {
  private static SweepPoint row(Technique technique, List<Double> ratios) {
    SequencedMap<String, Double> all = new LinkedHashMap<>();
    all.put("final", 1.0);
    return new SweepPoint("early-exit", technique, 1, List.of(3), 100, ratios, 1, 8, all);
  }

  /** As many pairs below 1 as above it. */
  private static List<Double> spread(double distance, int pairs) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < pairs; i++) {
      ratios.add(i % 2 == 0 ? 1 + distance : 1 / (1 + distance));
    }
    return ratios;
  }

  private static List<Double> constant(double ratio, int pairs) {
    return Collections.nCopies(pairs, ratio);
  }

  @Test
  void aSpeedUpWithinTheErrorIsNotCalledAGain() {
    MeasurementError error =
        MeasurementError.of(
            List.of(
                row(Technique.NONE, spread(0.05, 12)), row(Technique.EXITS, constant(1.04, 12))));
    assertThat(error.value()).isCloseTo(0.05, within(1e-12));
    assertThat(error.verdict(1.04)).isEqualTo(Verdict.WITHIN);
    assertThat(error.verdict(1.05)).isEqualTo(Verdict.WITHIN);
    assertThat(error.verdict(1.06)).isEqualTo(Verdict.GAIN);
    assertThat(error.verdict(0.96)).isEqualTo(Verdict.WITHIN);
    assertThat(error.verdict(0.94)).isEqualTo(Verdict.LOSS);
  }

  @Test
  void aRowThatChangesNothingIsNeverBeyondTheError() {
    List<SweepPoint> rows = new ArrayList<>();
    for (int i = 0; i < 7; i++) {
      rows.add(row(Technique.NONE, constant(1, 12)));
    }
    rows.add(row(Technique.NONE, constant(1.07, 12)));
    rows.add(row(Technique.NONE, constant(0.98, 12)));
    rows.add(row(Technique.EXITS, constant(1.06, 12)));
    MeasurementError error = MeasurementError.of(rows);
    assertThat(error.value()).isGreaterThanOrEqualTo(1.07 - 1);
    assertThat(error.least()).isEqualTo(0.98);
    assertThat(error.most()).isEqualTo(1.07);
    assertThat(error.verdict(1.06)).isEqualTo(Verdict.WITHIN);
  }

  @Test
  void workThatIsTheSameButAlwaysFasterIsAnErrorToo() {
    MeasurementError error =
        MeasurementError.of(
            List.of(
                row(Technique.NONE, constant(1.08, 12)), row(Technique.EXITS, constant(1.05, 12))));
    assertThat(error.value()).isCloseTo(0.08, within(1e-12));
    assertThat(error.verdict(1.05)).isEqualTo(Verdict.WITHIN);
  }

  @Test
  void someDisturbedPairsDoNotWidenTheError() {
    List<Double> ratios = new ArrayList<>(spread(0.01, 44));
    ratios.addAll(List.of(1.9, 0.4, 1.5, 0.6));
    MeasurementError error =
        MeasurementError.of(
            List.of(row(Technique.NONE, ratios), row(Technique.BOTH, constant(1.2, 12))));
    assertThat(error.value()).isCloseTo(0.01, within(1e-12));
    assertThat(error.pairs()).isEqualTo(12);
  }

  @Test
  void theMoreRowsThereAreTheLargerTheError() {
    List<Double> ratios = new ArrayList<>();
    for (int i = 1; i <= 24; i++) {
      ratios.add(1 + 0.001 * i);
      ratios.add(1 / (1 + 0.001 * i));
    }
    double last = 0;
    for (int rows : List.of(1, 20, 400)) {
      List<SweepPoint> all = new ArrayList<>(List.of(row(Technique.NONE, ratios)));
      all.addAll(Collections.nCopies(rows, row(Technique.EXITS, constant(1, 12))));
      double error = MeasurementError.of(all).value();
      assertThat(error).isGreaterThan(last);
      last = error;
    }
  }

  @Test
  void fewPairsProveNothing() {
    for (int pairs : List.of(1, 2, 4)) {
      MeasurementError error =
          MeasurementError.of(
              List.of(
                  row(Technique.NONE, constant(1, pairs)),
                  row(Technique.EXITS, constant(3, pairs))));
      assertThat(error.isKnown()).isFalse();
      assertThat(error.pairs()).isEqualTo(pairs);
      assertThat(error.verdict(3)).isEqualTo(Verdict.WITHIN);
    }
    assertThat(MeasurementError.of(List.of()).isKnown()).isFalse();
  }

  @Test
  void amongRowsThatGainNothingHardlyARunFindsAGain() {
    // 30 rows that are as fast as full depth: the best of them looks like a gain, and is none
    Random random = new Random(1);
    int runs = 400;
    int gains = 0;
    for (int run = 0; run < runs; run++) {
      List<SweepPoint> rows = new ArrayList<>();
      for (int i = 0; i < 34; i++) {
        List<Double> ratios = new ArrayList<>();
        for (int pair = 0; pair < 12; pair++) {
          ratios.add(Math.exp(0.03 * random.nextGaussian()));
        }
        rows.add(row(i < 4 ? Technique.NONE : Technique.EXITS, ratios));
      }
      MeasurementError error = MeasurementError.of(rows);
      assertThat(error.value()).isBetween(0.01, 0.1);
      if (rows.stream().anyMatch(r -> error.verdict(r.speedup()) == Verdict.GAIN)) {
        gains++;
      }
    }
    assertThat(gains).isLessThanOrEqualTo((int) (MeasurementError.RISK * runs));
  }
}
