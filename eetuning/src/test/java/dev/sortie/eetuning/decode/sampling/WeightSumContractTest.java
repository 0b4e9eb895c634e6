package dev.sortie.eetuning.decode.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.sortie.tensor.Random;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sum of all weights, and the tokens that it draws. */
class WeightSumContractTest {
  private static float[] logits(int count, double spread, long seed) {
    var random = new java.util.Random(seed);
    float[] x = new float[count];
    for (int i = 0; i < count; i++) {
      x[i] = (float) (spread * random.nextGaussian());
    }
    return x;
  }

  private static double sum(float[] x, double max, double temperature) {
    double sum = 0;
    for (float logit : x) {
      sum += NegativeExp.of((logit - max) / temperature);
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0.8",
    "3, 0.8",
    "3, 1",
    "3, 0.1",
    "3, 7",
    "20, 1",
    "0, 1",
    "4, 1e-40",
    "4, 1e-320"
  })
  void itIsThatOfSingleWeights(double spread, double temperature) {
    for (int count : new int[] {1, 2, 7, 1024, 3001}) {
      float[] x = logits(count, spread, count);
      x[0] = count > 2 ? Float.NEGATIVE_INFINITY : x[0];
      float max = x[Sampler.argmax(x)];
      double expected = sum(x, max, temperature);
      assertThat(WeightSum.of(x, max, temperature)).isCloseTo(expected, withinPercentage(1e-10));
    }
  }

  @Test
  void ofALogitThatIsNoNumberItIsNone() {
    assertThat(WeightSum.of(new float[] {1, Float.NaN, 2}, 2, 1)).isNaN();
  }

  /** Against all weights sorted and summed up. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2.5, 0.8", "2.5, 1.5", "6, 1", "0.5, 3", "30, 1"})
  void drawsAreThoseOfSingleWeights(double spread, double temperature) {
    for (double topP : new double[] {1, 0.95, 0.5}) {
      float[] x = logits(2000, spread, 5);
      SamplingOptions options = new SamplingOptions(temperature, 0, topP, 0, 1, 9);
      Sampler sampler = new Sampler(options, x.length);
      Random random = new Random(9, 0).stream("sampling");
      for (int i = 0; i < 400; i++) {
        assertThat(sampler.choose(x, i)).isEqualTo(drawn(x, temperature, topP, random.uniform(i)));
      }
    }
  }

  private static int drawn(float[] x, double temperature, double topP, double u) {
    List<Integer> ids =
        IntStream.range(0, x.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> -x[i]))
            .toList();
    double max = x[ids.getFirst()];
    double all = sum(x, max, temperature);
    int kept = 0;
    double mass = 0;
    while (kept < x.length && mass < topP * all) {
      mass += NegativeExp.of((x[ids.get(kept++)] - max) / temperature);
    }
    double left = u * (topP < 1 ? mass : all);
    for (int i = 0; i < kept - 1; i++) {
      left -= NegativeExp.of((x[ids.get(i)] - max) / temperature);
      if (left < 0) {
        return ids.get(i);
      }
    }
    return ids.get(kept - 1);
  }
}
