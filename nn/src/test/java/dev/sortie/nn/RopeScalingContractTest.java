package dev.sortie.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** What each scaling does to fast and slow pairs; exact values are held against transformers. */
class RopeScalingContractTest {
  private static final double THETA = 500_000;
  private static final int ROTARY = 64;
  private static final double[] PLAIN = RopeScaling.NONE.frequencies(THETA, ROTARY);

  @Test
  void linearSlowsAllPairs() {
    double[] f = new RopeScaling.Linear(4).frequencies(THETA, ROTARY);
    for (int j = 0; j < f.length; j++) {
      assertThat(f[j]).isEqualTo(PLAIN[j] / 4);
    }
  }

  @Test
  void llama3AndYarnLeaveFastPairsAndSlowSlowOnes() {
    for (RopeScaling s :
        new RopeScaling[] {
          new RopeScaling.Llama3(8, 1, 4, 8192), new RopeScaling.Yarn(8, 32, 1, 8192, 1.2)
        }) {
      double[] f = s.frequencies(THETA, ROTARY);
      assertThat(f[0]).isEqualTo(PLAIN[0]);
      assertThat(f[f.length - 1]).isCloseTo(PLAIN[f.length - 1] / 8, within(1e-12));
      for (int j = 1; j < f.length; j++) {
        assertThat(f[j]).isLessThan(f[j - 1]).isBetween(PLAIN[j] / 8 - 1e-15, PLAIN[j] + 1e-15);
      }
    }
  }

  @Test
  void dividedFrequenciesAreThoseOfTheScalingTheyWereMadeFrom() {
    RopeScaling llama3 = new RopeScaling.Llama3(32, 1, 4, 8192);
    RopeScaling.Divided divided = RopeScaling.Divided.of(llama3, THETA, ROTARY);
    double[] wanted = llama3.frequencies(THETA, ROTARY);
    double[] found = divided.frequencies(THETA, ROTARY);
    for (int j = 0; j < wanted.length; j++) {
      assertThat(found[j] / wanted[j]).isCloseTo(1, within(1e-7));
    }
    assertThat(divided.isNear(divided)).isTrue();
    RopeScaling other = new RopeScaling.Llama3(8, 1, 4, 8192);
    assertThat(divided.isNear(RopeScaling.Divided.of(other, THETA, ROTARY))).isFalse();
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatThrownBy(() -> new RopeScaling.Linear(0.5))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("factor 0.5");
    assertThatThrownBy(() -> new RopeScaling.Llama3(8, 4, 1, 8192))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("high_freq_factor 1.0");
    assertThatThrownBy(() -> new RopeScaling.Yarn(8, 1, 32, 8192, 1))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("beta_slow 32.0");
  }
}
