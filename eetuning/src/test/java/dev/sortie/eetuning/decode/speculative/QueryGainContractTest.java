package dev.sortie.eetuning.decode.speculative;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QueryGainContractTest {
  private static final int SITUATIONS = 9;

  /** A price of 0.06 for each question, and a gain of 0.4 with this probability. */
  private static double gained(SplittableRandom random, double probability) {
    return (random.nextDouble() < probability ? 0.4 : 0) - 0.06;
  }

  /** In passes, over a text of 200 with a situation each. */
  private static double lost(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    QueryGain gain = new QueryGain(SITUATIONS);
    double lost = 0;
    for (int i = 0; i < 200; i++) {
      int situation = random.nextInt(SITUATIONS);
      if (gain.asks(situation)) {
        gain.asked(situation, -0.06);
        lost += 0.06;
      }
    }
    return lost;
  }

  @Test
  void aSourceThatNeverPaysCostsLessThanOnePassOfAHundred() {
    for (int seed = 0; seed < 50; seed++) {
      assertThat(lost(seed)).isLessThan(0.01 * 200);
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.25, 0.35})
  void aSourceThatPaysIsAskedMostly(double probability) {
    int asked = 0;
    for (int seed = 0; seed < 50; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      QueryGain gain = new QueryGain(SITUATIONS);
      for (int i = 0; i < 200; i++) {
        int situation = random.nextInt(SITUATIONS);
        if (gain.asks(situation)) {
          gain.asked(situation, gained(random, probability));
          asked++;
        }
      }
    }
    assertThat(asked).isGreaterThan(50 * 200 * 7 / 10);
  }

  @Test
  void aSituationThatPaysIsKeptAmongOthersThatDoNot() {
    SplittableRandom random = new SplittableRandom(1);
    QueryGain gain = new QueryGain(SITUATIONS);
    int[] asked = new int[SITUATIONS];
    for (int i = 0; i < 4000; i++) {
      int situation = random.nextInt(SITUATIONS);
      if (gain.asks(situation)) {
        asked[situation]++;
        gain.asked(situation, gained(random, situation == 3 ? 0.5 : 0.02));
      }
    }
    for (int s = 0; s < SITUATIONS; s++) {
      assertThat(asked[s])
          .isGreaterThan(5)
          .satisfies(n -> assertThat(n > 300).isEqualTo(n == asked[3]));
    }
    assertThat(gain.expected(3)).isPositive();
    assertThat(gain.expected(4)).isNegative();
  }
}
