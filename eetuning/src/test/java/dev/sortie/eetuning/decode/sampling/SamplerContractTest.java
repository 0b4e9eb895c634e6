package dev.sortie.eetuning.decode.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplerContractTest {
  private static final double[] P = {0.5, 0.3, 0.15, 0.05};
  private static final float[] LOGITS = logarithms(P);
  private static final float[] EQUAL = {1, 1, 1, 1};
  private static final int DRAWS = 20_000;

  /** Chi-square beyond which three degrees of freedom go in one of a thousand cases. */
  private static final double CRITICAL = 16.27;

  private static float[] logarithms(double[] p) {
    float[] logits = new float[p.length];
    for (int i = 0; i < p.length; i++) {
      logits[i] = (float) Math.log(p[i]);
    }
    return logits;
  }

  private static SamplingOptions options(double temperature, int topK, double topP, double minP) {
    return new SamplingOptions(temperature, topK, topP, minP, 1, 7);
  }

  private static Sampler penalised(double penalty, int size, int... seen) {
    Sampler sampler = new Sampler(new SamplingOptions(0, 0, 1, 0, penalty, 7), size);
    IntStream.of(seen).forEach(sampler::saw);
    return sampler;
  }

  private static int[] counts(SamplingOptions options, float[] logits) {
    Sampler sampler = new Sampler(options, logits.length);
    int[] counts = new int[logits.length];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.choose(logits, i)]++;
    }
    return counts;
  }

  private static Set<Integer> support(SamplingOptions options, float[] logits) {
    int[] counts = counts(options, logits);
    Set<Integer> ids = new TreeSet<>();
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] > 0) {
        ids.add(i);
      }
    }
    return ids;
  }

  private static double chiSquare(int[] counts, double[] weights) {
    double total = 0;
    for (double w : weights) {
      total += w;
    }
    double sum = 0;
    for (int i = 0; i < counts.length; i++) {
      double expected = DRAWS * weights[i] / total;
      sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    return sum;
  }

  private static int greedy(float... logits) {
    return new Sampler(SamplingOptions.GREEDY, logits.length).choose(logits, 3);
  }

  @Test
  void greedyTakesTheLargestAndTheLowerOfEqualIds() {
    assertThat(greedy(1, 3, 3, 2)).isEqualTo(1);
    assertThat(greedy(-5, -7, -5)).isZero();
    assertThat(greedy(-0f, 0f)).isZero();
    assertThat(greedy(4)).isZero();
  }

  @Test
  void drawsFollowTheSoftmax() {
    assertThat(chiSquare(counts(options(1, 0, 1, 0), LOGITS), P)).isLessThan(CRITICAL);
  }

  @Test
  void temperatureDividesTheLogits() {
    double[] flatter = IntStream.range(0, P.length).mapToDouble(i -> Math.sqrt(P[i])).toArray();
    double[] sharper = IntStream.range(0, P.length).mapToDouble(i -> P[i] * P[i]).toArray();
    assertThat(chiSquare(counts(options(2, 0, 1, 0), LOGITS), flatter)).isLessThan(CRITICAL);
    assertThat(chiSquare(counts(options(0.5, 0, 1, 0), LOGITS), sharper)).isLessThan(CRITICAL);
    assertThat(chiSquare(counts(options(2, 0, 1, 0), LOGITS), P)).isGreaterThan(CRITICAL);
  }

  @Test
  void aSmallTemperatureIsGreedyAndDoesNotOverflow() {
    assertThat(support(options(1e-6, 0, 1, 0), new float[] {80, -90, 81, 3})).containsExactly(2);
  }

  @Test
  void topKKeepsTheMostLikelyAndOfEqualOnesTheLowerIds() {
    assertThat(support(options(1, 1, 1, 0), LOGITS)).containsExactly(0);
    assertThat(support(options(1, 2, 1, 0), LOGITS)).containsExactly(0, 1);
    assertThat(support(options(1, 0, 1, 0), LOGITS)).containsExactly(0, 1, 2, 3);
    assertThat(support(options(1, 9, 1, 0), LOGITS)).containsExactly(0, 1, 2, 3);
    assertThat(support(options(1, 2, 1, 0), EQUAL)).containsExactly(0, 1);
    assertThat(support(options(1, 2, 1, 0), new float[] {-1, 5, -3, 5})).containsExactly(1, 3);
  }

  @Test
  void topPKeepsTheFewestThatReachTheMass() {
    assertThat(support(options(1, 0, 0.45, 0), LOGITS)).containsExactly(0);
    assertThat(support(options(1, 0, 0.75, 0), LOGITS)).containsExactly(0, 1);
    assertThat(support(options(1, 0, 0.9, 0), LOGITS)).containsExactly(0, 1, 2);
    assertThat(support(options(1, 0, 1, 0), LOGITS)).containsExactly(0, 1, 2, 3);
    assertThat(support(options(1, 0, 1e-9, 0), LOGITS)).containsExactly(0);
  }

  @Test
  void topPStopsWhereTheMassIsReachedExactly() {
    assertThat(support(options(1, 0, 0.25, 0), EQUAL)).containsExactly(0);
    assertThat(support(options(1, 0, 0.5, 0), EQUAL)).containsExactly(0, 1);
    assertThat(support(options(1, 0, 0.51, 0), EQUAL)).containsExactly(0, 1, 2);
  }

  @Test
  void minPKeepsWhatIsLikelyEnoughNextToTheLikeliest() {
    assertThat(support(options(1, 0, 1, 0.61), LOGITS)).containsExactly(0);
    assertThat(support(options(1, 0, 1, 0.59), LOGITS)).containsExactly(0, 1);
    assertThat(support(options(1, 0, 1, 0.29), LOGITS)).containsExactly(0, 1, 2);
    assertThat(support(options(1, 0, 1, 0), LOGITS)).containsExactly(0, 1, 2, 3);
    assertThat(support(options(1, 0, 1, 1), EQUAL)).containsExactly(0, 1, 2, 3);
    assertThat(support(options(1, 0, 1, 1), LOGITS)).containsExactly(0);
  }

  @Test
  void filtersApplyInOrder() {
    // after top-k 2 the first has 0.5 / 0.8 = 0.625 of the mass, before it 0.5
    assertThat(support(options(1, 2, 0.6, 0), LOGITS)).containsExactly(0);
    assertThat(support(options(1, 0, 0.6, 0), LOGITS)).containsExactly(0, 1);
    // at temperature 0.5 it has 0.25 / 0.365 = 0.68
    assertThat(support(options(0.5, 0, 0.6, 0), LOGITS)).containsExactly(0);
  }

  @Test
  void whatIsKeptKeepsItsProportions() {
    int[] counts = counts(options(1, 2, 1, 0), LOGITS);
    assertThat(chiSquare(new int[] {counts[0], counts[1]}, new double[] {0.5, 0.3}))
        .isLessThan(10.83); // one degree of freedom
  }

  @Test
  void theRepetitionPenaltyDividesPositiveAndMultipliesNegativeLogits() {
    assertThat(penalised(2, 3, 0).choose(new float[] {2, 1.9f, -1}, 0)).isEqualTo(1);
    assertThat(penalised(2, 3).choose(new float[] {2, 1.9f, -1}, 0)).isZero();
    assertThat(penalised(2, 2, 0).choose(new float[] {-1, -1.5f}, 0)).isEqualTo(1);
    assertThat(penalised(1, 2, 0).choose(new float[] {-1, -1.5f}, 0)).isZero();
    assertThat(penalised(0.5, 2, 1).choose(new float[] {2, 1.5f}, 0)).isEqualTo(1);
    // 2 / 2 equals 1: a tie
    assertThat(penalised(2, 2, 0).choose(new float[] {2, 1}, 0)).isZero();
    assertThat(penalised(4, 2, 0).choose(new float[] {0, -1}, 0)).isZero();
  }

  @Test
  void tokensOfThePromptArePenalisedUnlessOptionsSayNo() {
    for (boolean prompt : new boolean[] {true, false}) {
      Sampler sampler = new Sampler(new SamplingOptions(0, 0, 1, 0, 2, prompt, 7), 3);
      sampler.read(new int[] {0});
      assertThat(sampler.choose(new float[] {2, 1.9f, 1}, 0)).isEqualTo(prompt ? 1 : 0);
      sampler.chose(0);
      assertThat(sampler.choose(new float[] {2, 1.9f, 1}, 1)).isEqualTo(1);
    }
  }

  @Test
  void logitsAreNotChanged() {
    float[] logits = LOGITS.clone();
    Sampler sampler = new Sampler(new SamplingOptions(0.7, 3, 0.9, 0.1, 1.3, 7), 4);
    sampler.saw(0);
    sampler.choose(logits, 5);
    assertThat(logits).isEqualTo(LOGITS);
  }

  @Test
  void seedAndPositionAloneDecide() {
    Sampler a = new Sampler(options(1, 0, 1, 0), 4);
    Sampler b = new Sampler(options(1, 0, 1, 0), 4);
    int[] forward = IntStream.range(0, 200).map(i -> a.choose(LOGITS, i)).toArray();
    int[] backward = new int[200];
    for (int i = 199; i >= 0; i--) {
      backward[i] = b.choose(LOGITS, i);
    }
    Sampler other = new Sampler(new SamplingOptions(1, 0, 1, 0, 1, 8), 4);
    assertThat(backward).isEqualTo(forward);
    assertThat(a.choose(LOGITS, 11)).isEqualTo(forward[11]);
    assertThat(IntStream.range(0, 200).map(i -> other.choose(LOGITS, i)).toArray())
        .isNotEqualTo(forward);
    assertThat(IntStream.of(forward).distinct().count()).isGreaterThan(2);
  }

  @ParameterizedTest
  @CsvSource({
    "-0.1, 0, 1, 0, 1, --temperature -0.1",
    "101, 0, 1, 0, 1, --temperature 101.0",
    "NaN, 0, 1, 0, 1, --temperature NaN",
    "1, -1, 1, 0, 1, --top-k -1 ",
    "1, 0, 0, 0, 1, --top-p 0.0",
    "1, 0, 1.01, 0, 1, --top-p 1.01",
    "1, 0, 1, -0.5, 1, --min-p -0.5",
    "1, 0, 1, 1.5, 1, --min-p 1.5",
    "1, 0, 1, 0, 0, --repetition-penalty 0.0",
    "1, 0, 1, 0, 5e-324, --repetition-penalty 4.9E-324",
    "1, 0, 1, 0, NaN, --repetition-penalty NaN"
  })
  void optionsOutOfRangeAreRefusedByName(
      double temperature, int topK, double topP, double minP, double penalty, String message) {
    assertThatThrownBy(() -> new SamplingOptions(temperature, topK, topP, minP, penalty, 0))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith(message + " is out of range; take ");
  }
}
