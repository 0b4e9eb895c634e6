package dev.sortie.eetuning.decode.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.InputException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Rules of a text's logits: what they change, and that what they forbid never comes. */
@Tag("any-kernels")
class LogitRulesContractTest {
  private static final float FORBIDDEN = Float.NEGATIVE_INFINITY;

  /** Allows some tokens alone, others after each choice. */
  private static final class Allows implements LogitRule {
    private final Random random = new Random(3);
    private Set<Integer> allowed = Set.of(1, 2);

    @Override
    public void apply(float[] logits) {
      for (int i = 0; i < logits.length; i++) {
        logits[i] = allowed.contains(i) ? logits[i] : FORBIDDEN;
      }
    }

    @Override
    public void chosen(int id) {
      allowed = new HashSet<>(List.of(random.nextInt(50), random.nextInt(50)));
    }
  }

  @Test
  void whatARuleForbidsIsNeverChosen() {
    Random random = new Random(5);
    for (double temperature : new double[] {0, 0.5, 100}) {
      Allows rule = new Allows();
      Sampler sampler =
          new Sampler(new SamplingOptions(temperature, 0, 1, 0, 1.2, 7), 50, List.of(rule));
      for (int at = 0; at < 2000; at++) {
        float[] logits = new float[50];
        for (int i = 0; i < logits.length; i++) {
          logits[i] = (float) (40 * random.nextGaussian());
        }
        float[] before = logits.clone();
        int id = sampler.choose(logits, at);
        assertThat(rule.allowed).contains(id);
        assertThat(logits).containsExactly(before);
        sampler.chose(id);
      }
    }
  }

  @Test
  void rulesThatAllowNothingAreRefused() {
    LogitRule nothing =
        new LogitRule() {
          @Override
          public void apply(float[] logits) {
            Arrays.fill(logits, FORBIDDEN);
          }

          @Override
          public void chosen(int id) {}
        };
    Sampler sampler = new Sampler(SamplingOptions.GREEDY, 3, List.of(nothing));
    assertThatThrownBy(() -> sampler.choose(new float[3], 0)).isInstanceOf(InputException.class);
  }

  @Test
  void aPenaltyCountsWhatWasChosenAndNotThePrompt() {
    CountPenalty rule = new CountPenalty(0.5, 2);
    Sampler sampler = new Sampler(SamplingOptions.GREEDY, 3, List.of(rule));
    float[] logits = {3, 2, 0};
    sampler.saw(0);
    assertThat(sampler.choose(logits, 0)).isZero();
    sampler.chose(0);
    assertThat(sampler.choose(logits, 1)).isEqualTo(1);
    sampler.chose(0);
    sampler.chose(1);
    float[] x = {3, 2, 0};
    rule.apply(x);
    assertThat(x).containsExactly(0, -0.5f, 0);
  }

  @Test
  void aBiasAdds() {
    float[] x = {1, 2, 3};
    new LogitBias(Map.of(0, 1.5f, 2, -100f)).apply(x);
    assertThat(x).containsExactly(2.5f, 2, -97);
  }

  @Test
  void probabilitiesAreThoseOfTheSoftmax() {
    float[] logits = {1, 3, 3, FORBIDDEN, -2};
    double sum = Math.exp(1) + 2 * Math.exp(3) + Math.exp(-2);
    TokenLogprobs found = TokenLogprobs.of(logits, 0, 3);
    assertThat(found.token().logprob()).isCloseTo(1 - Math.log(sum), within(1e-12));
    assertThat(found.top()).extracting(TokenLogprobs.Entry::id).containsExactly(1, 2, 0);
    assertThat(found.top().getFirst().logprob()).isCloseTo(3 - Math.log(sum), within(1e-12));
    assertThat(TokenLogprobs.of(logits, 3, 0).token().logprob())
        .isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(TokenLogprobs.of(logits, 3, 9).top()).hasSize(5);
  }
}
