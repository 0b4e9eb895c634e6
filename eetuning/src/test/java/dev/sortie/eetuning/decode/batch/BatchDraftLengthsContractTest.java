package dev.sortie.eetuning.decode.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Collections;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Draft tokens are read where measured times say that all texts together gain by them. */
@Tag("any-kernels")
class BatchDraftLengthsContractTest {
  private static final int ROWS = 16;
  private static final double[] NOTHING = new double[1];

  /** Eight draft tokens, each right with this probability if those before it are. */
  private static double[] offer(double right) {
    double[] expected = new double[9];
    double all = 1;
    for (int k = 1; k < expected.length; k++) {
      all *= right;
      expected[k] = expected[k - 1] + all;
    }
    return expected;
  }

  /** Counts after many passes whose time depends on their rows. */
  private static int[] learnt(List<double[]> offers, IntToDoubleFunction seconds) {
    BatchDraftLengths lengths = new BatchDraftLengths(ROWS);
    int[] counts = new int[0];
    for (int i = 0; i < 60; i++) {
      counts = lengths.counts(offers);
      lengths.took(seconds.applyAsDouble(offers.size() + IntStream.of(counts).sum()));
    }
    return counts;
  }

  @Test
  void rowsThatCostNothingAreAllUsed() {
    int[] counts = learnt(List.of(offer(0.9), offer(0.9)), _ -> 0.01);
    assertThat(IntStream.of(counts).sum()).isEqualTo(ROWS - 2);
  }

  @Test
  void rowsThatCostAsMuchAsTheyGiveAreNotRead() {
    assertThat(learnt(List.of(offer(0.9), offer(0.9)), rows -> 0.01 * rows)).containsExactly(0, 0);
  }

  /** Two texts of SmolLM2 in BF16: a row costs a tenth of the pass, so a fifth of a token pays. */
  @Test
  void theBestDraftsAreTakenAsFarAsTheyPay() {
    IntToDoubleFunction seconds = rows -> 7.8 + rows;
    int[] counts = learnt(List.of(offer(0.1), offer(0.9), NOTHING), seconds);
    assertThat(counts[0]).isZero();
    assertThat(counts[1]).isBetween(3, 8);
    assertThat(counts[2]).isZero();
    assertThat(learnt(List.of(offer(0.15), offer(0.1)), seconds)).containsExactly(0, 0);
  }

  @Test
  void manyTextsHaveNoDrafts() {
    int[] counts = learnt(Collections.nCopies(4, offer(1)), _ -> 0.01);
    assertThat(IntStream.of(counts).sum()).isEqualTo(ROWS - 4);
    assertThat(learnt(Collections.nCopies(5, offer(1)), _ -> 0.01)).containsOnly(0);
  }

  /** Some passes have no drafts, or it would never be known what they cost. */
  @Test
  void passesWithoutDraftsComeAgainAndAgain() {
    BatchDraftLengths lengths = new BatchDraftLengths(ROWS);
    List<double[]> offers = List.of(offer(1), offer(1));
    int plain = 0;
    for (int i = 0; i < 660; i++) {
      plain += IntStream.of(lengths.counts(offers)).sum() == 0 ? 1 : 0;
      lengths.took(0.01);
    }
    assertThat(plain).isBetween(9, 14);
  }

  private static void add(PassTimes times, int rows, double seconds, int count) {
    for (int i = 0; i < count; i++) {
      times.add(rows, seconds);
    }
  }

  @Test
  void timesAreThoseMeasuredAndBetweenThemAStraightLine() {
    PassTimes times = new PassTimes(ROWS);
    add(times, 2, 6, 3);
    assertThat(times.of(2)).isEqualTo(6);
    assertThat(times.of(4)).isBetween(6.0, 9.0);
    add(times, 6, 14, 3);
    assertThat(times.of(4)).isCloseTo(10, within(1e-9));
    assertThat(times.of(6)).isEqualTo(14);
    assertThat(times.of(1)).isEqualTo(6);
  }

  @Test
  void passesWhileKernelsAreCompiledCountForNothing() {
    PassTimes times = new PassTimes(ROWS);
    add(times, 2, 6, 3);
    add(times, 4, 90, 2);
    assertThat(times.of(4)).isLessThan(9);
    add(times, 4, 10, 1);
    assertThat(times.of(4)).isEqualTo(10);
  }

  @Test
  void oneBadMeasurementIsForgotten() {
    PassTimes times = new PassTimes(ROWS);
    add(times, 2, 6, 3);
    add(times, 3, 8, 3);
    add(times, 3, 80, 1);
    assertThat(times.of(3)).isLessThan(9);
    add(times, 4, 90, 3);
    assertThat(times.of(4)).isEqualTo(90);
    add(times, 2, 6, 2000);
    assertThat(times.of(4)).isLessThan(9);
  }

  @Test
  void fewerRowsNeverTakeLonger() {
    PassTimes times = new PassTimes(ROWS);
    add(times, 2, 50, 3);
    add(times, 5, 10, 10);
    assertThat(times.of(2)).isLessThan(11);
  }
}
