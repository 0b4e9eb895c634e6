package dev.sortie.eetuning.decode.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RankingContractTest {

  @Test
  void idsAreSortedByFallingLogitThenByRisingId() {
    Random random = new Random(4);
    for (double spread : new double[] {0, 0.5, 3, 30}) {
      float[] logits = new float[700];
      for (int i = 0; i < logits.length; i++) {
        // some equal, some of them zeros of either sign, some impossible
        logits[i] =
            (float) (Math.rint(random.nextGaussian() * spread * 4) / 4) * (i % 2 == 0 ? 1 : -1);
        logits[i] = i % 97 == 5 ? Float.NEGATIVE_INFINITY : logits[i];
      }
      int[] expected =
          IntStream.range(0, logits.length)
              .boxed()
              .sorted(
                  Comparator.<Integer>comparingDouble(i -> -(logits[i] + 0.0f))
                      .thenComparing(i -> i))
              .mapToInt(i -> i)
              .toArray();
      Ranking ranking = new Ranking(logits);
      assertThat(IntStream.range(0, logits.length).map(ranking::id).toArray()).isEqualTo(expected);
      assertThat(new Ranking(logits).id(400)).isEqualTo(expected[400]);
    }
  }

  @Test
  void theExponentialIsThatOfStrictMath() {
    Random random = new Random(5);
    assertThat(NegativeExp.of(0)).isEqualTo(1);
    assertThat(NegativeExp.of(-0.0)).isEqualTo(1);
    assertThat(NegativeExp.of(Double.NEGATIVE_INFINITY)).isZero();
    assertThat(NegativeExp.of(-709)).isZero();
    assertThat(NegativeExp.of(Double.NaN)).isNaN();
    for (int i = 0; i < 200_000; i++) {
      double x = -random.nextDouble() * (i % 3 == 0 ? 708 : i % 3 == 1 ? 30 : 1);
      double expected = StrictMath.exp(x);
      assertThat(Math.abs(NegativeExp.of(x) - expected))
          .as("exp(%s)", x)
          .isLessThanOrEqualTo(2 * Math.ulp(expected));
    }
  }
}
