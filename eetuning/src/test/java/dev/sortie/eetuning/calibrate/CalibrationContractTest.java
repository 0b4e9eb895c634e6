package dev.sortie.eetuning.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.cost.CostTable;
import dev.sortie.eetuning.cost.EarlyExitCost;
import dev.sortie.eetuning.cost.ExitCost;
import dev.sortie.eetuning.cost.RowTimes;
import dev.sortie.eetuning.decode.policy.ExitThresholds;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrationContractTest {
  @TempDir private Path temp;

  /** Ten layers of 1, a head of 1, cheap rows; the exits after 4 and 8 layers cost this. */
  private static CostTable table(double check) {
    return new CostTable(
        10,
        64,
        new RowTimes(new TreeMap<>(Map.of(1, 1.0, 16, 2.0))),
        RowTimes.constant(0),
        RowTimes.constant(1),
        0,
        List.of(
            new ExitCost(4, Optional.empty(), check), new ExitCost(8, Optional.empty(), check)));
  }

  private static Calibration calibration(boolean perExit, double check) {
    LearnThenTest test = new LearnThenTest(0.05, 0.9, MeanTest.HOEFFDING_BENTKUS);
    return new Calibration(test, Risk.DISAGREEMENT, perExit, table(check));
  }

  private static SequencedMap<Integer, Double> thresholds(double four, double eight) {
    SequencedMap<Integer, Double> map = new LinkedHashMap<>();
    map.put(4, four);
    map.put(8, eight);
    return map;
  }

  @Test
  void theFirstExitConfidentEnoughDecidesAndLosesWhatItLoses() {
    Trajectory t =
        new Trajectory(
            10,
            List.of(4, 8),
            new double[][] {{0.9, 0.5, 0.5, 0.9}, {0.9, 0.9, 0.5, 0.9}},
            new double[][] {{1, 1, 1, 0}, {0, 0.5, 1, 0}});
    assertThat(t.exits(thresholds(0.8, 0.8))).containsExactly(4, 8, 0, 4);
    assertThat(t.meanLoss(thresholds(0.8, 0.8))).isEqualTo(1.5 / 4);
    assertThat(t.exits(thresholds(1, 0.8))).containsExactly(8, 8, 0, 8);
    assertThat(t.meanLoss(thresholds(1, 1))).isZero();
  }

  @Test
  void aTokenThatLeavesBehindTheLastLayerKeepsNoneWaiting() {
    double[][] confidence = {new double[40], new double[40]};
    Arrays.fill(confidence[0], 0.5);
    Arrays.fill(confidence[1], 0.9);
    Trajectory t = new Trajectory(8, List.of(4, 8), confidence, new double[2][40]);
    assertThat(t.exits(thresholds(1, 0.8))).containsOnly(8);
    // fifteen may wait; the next continues, to where it can still leave
    int[] left = t.exits(thresholds(0.5, 0.8));
    for (int i = 0; i < left.length; i++) {
      assertThat(left[i]).isEqualTo(i % 16 == 15 ? 8 : 4);
    }
  }

  @Test
  void ofWhatIsCertifiedTheFastestIsChosen() {
    List<Trajectory> sequences = Synthetic.sequences(400, new SplittableRandom(2));
    Calibration.Result cheap = calibration(false, 0.1).run(sequences);
    Calibration.Outcome chosen = cheap.chosen().orElseThrow();
    assertThat(chosen.tested().certified()).isTrue();
    assertThat(chosen.speedup()).isGreaterThan(1.1);
    cheap.outcomes().stream()
        .filter(o -> o.tested().certified())
        .forEach(o -> assertThat(o.speedup()).isLessThanOrEqualTo(chosen.speedup()));
    assertThat(cheap.sequences()).isEqualTo(400);
    // where asking costs much, nothing certified is faster
    assertThat(calibration(false, 5).run(sequences).chosen().orElseThrow().speedup()).isLessThan(1);
  }

  private static double seconds(
      List<Trajectory> sequences, double check, SequencedMap<Integer, Double> thresholds) {
    EarlyExitCost cost =
        new EarlyExitCost(
            table(check), new ExitThresholds(thresholds).asked(), EarlyExit.MAX_PENDING, true);
    return sequences.stream().mapToDouble(t -> cost.seconds(64, t.exits(thresholds))).sum();
  }

  /** Seconds of the fastest of a path that loses no more than a level on these sequences. */
  private static double fastest(List<Candidate> path, List<Trajectory> sequences, double level) {
    return path.stream()
        .filter(
            c ->
                sequences.stream()
                        .mapToDouble(t -> t.meanLoss(c.thresholds()))
                        .average()
                        .orElseThrow()
                    <= level)
        .mapToDouble(c -> seconds(sequences, 0.1, c.thresholds()))
        .min()
        .orElseThrow();
  }

  @Test
  void ownThresholdsAreTheFrontAndSaveMoreThanOneForAll() {
    List<Trajectory> tuning = Synthetic.sequences(100, new SplittableRandom(8));
    List<Candidate> path = new ThresholdPath(tuning, c -> seconds(tuning, 0.1, c)).candidates();
    for (int i = 1; i < path.size(); i++) {
      assertThat(path.get(i).name()).isGreaterThan(path.get(i - 1).name());
      assertThat(seconds(tuning, 0.1, path.get(i).thresholds()))
          .isLessThan(seconds(tuning, 0.1, path.get(i - 1).thresholds()));
    }
    List<Candidate> shared = Candidate.shared(Synthetic.DEPTHS);
    int better = 0;
    for (double level : new double[] {0.02, 0.03, 0.05, 0.07, 0.1}) {
      double own = fastest(path, tuning, level);
      double one = fastest(shared, tuning, level);
      assertThat(own).as("level " + level).isLessThanOrEqualTo(one);
      better += own < 0.99 * one ? 1 : 0;
    }
    assertThat(better).as("levels at which own thresholds save 1 %").isPositive();
    // where asking costs more than leaving saves, there is nothing to choose
    assertThat(new ThresholdPath(tuning, c -> seconds(tuning, 9, c)).candidates())
        .isEqualTo(shared);
  }

  @Test
  void sequencesThatSeekOwnThresholdsDoNotCountForThePromise() {
    List<Trajectory> sequences = Synthetic.sequences(400, new SplittableRandom(2));
    assertThat(calibration(true, 0.1).run(sequences).sequences()).isEqualTo(300);
  }

  @Test
  void tooFewSequencesAreRefusedWithTheNumberNeeded() {
    List<Trajectory> sequences = Synthetic.sequences(30, new SplittableRandom(2));
    assertThatThrownBy(() -> calibration(false, 0.1).run(sequences))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("30 sequences")
        .hasMessageContaining("at least 45");
  }

  @Test
  void aFileReadAgainIsTheSameAndABadOneIsRefused() throws IOException {
    Calibrated c =
        new Calibrated(
            "ab",
            "bf16",
            "integer",
            512,
            new TreeMap<>(Map.of(4, 0.9, 8, 1.0)),
            new Calibrated.Promise(
                Risk.NLL,
                new LearnThenTest(0.05, 0.95, MeanTest.BETTING),
                100,
                4000,
                0.02,
                0.03,
                0.4,
                1.2,
                List.of("a.jsonl")));
    Path file = temp.resolve("thresholds.json");
    ThresholdsFile.write(file, c);
    assertThat(ThresholdsFile.read(file)).isEqualTo(c);
    Calibrated.Promise p = c.promise();
    Calibrated marginal =
        new Calibrated(
            c.exitsSha256(),
            c.dtype(),
            c.arithmetic(),
            c.textTokens(),
            c.thresholds(),
            new Calibrated.Promise(
                p.risk(),
                new ConformalRiskControl(0.1),
                p.sequences(),
                p.tokens(),
                p.measured(),
                0.09,
                p.earlyShare(),
                p.predictedSpeedup(),
                p.data()));
    ThresholdsFile.write(file, marginal);
    assertThat(ThresholdsFile.read(file)).isEqualTo(marginal);
    assertThat(Files.readString(file))
        .contains("\"guarantee\": \"marginal\"", "\"bound\": 0.09")
        .doesNotContain("confidence", "p_value");
    ThresholdsFile.write(file, c);
    Files.writeString( // older files have one guarantee, without its name
        file, Files.readString(file).replaceFirst("\\s*\"guarantee\": \"high-probability\",", ""));
    assertThat(ThresholdsFile.read(file)).isEqualTo(c);
    String text = Files.readString(file);
    // of before heads covered tokens of the text
    Files.writeString(file, text.replaceFirst("\"text_tokens\": 512, *", ""));
    assertThat(ThresholdsFile.read(file).textTokens()).isZero();
    refused(file, text.replace("512", "-1"), "text_tokens", "-1");
    refused(file, text.replace("\"4\"", "\"four\""), "thresholds.four", "depth of an exit");
    refused(file, text.replace("0.9,", "1.9,"), "thresholds.4", "1.9");
    refused(file, text.replace("max-probability", "margin"), "policy", "margin");
    refused(file, text.replace("\"version\": 1", "\"version\": 2"), "version", "2");
  }

  private static void refused(Path file, String text, String... parts) throws IOException {
    Files.writeString(file, text);
    assertThatThrownBy(() -> ThresholdsFile.read(file))
        .isInstanceOf(InputException.class)
        .hasMessageContaining(file.toString())
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }
}
