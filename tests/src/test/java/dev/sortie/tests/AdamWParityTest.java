package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.nn.optim.AdamW;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Five steps against torch.optim.AdamW in float64. Torch decays vectors too, ours does not, so the
 * fixture's vectors are columns here.
 */
class AdamWParityTest {
  private static final int STEPS = 5;
  private static final double RATE = 1e-2;
  private static final double DECAY = 0.1;

  private Bench bench;
  private Fixture expected;

  @BeforeEach
  void open() {
    bench = Bench.open(2);
    expected = Fixture.open("adamw");
  }

  @AfterEach
  void close() {
    expected.close();
    bench.close();
  }

  @Test
  void fiveStepsAreThoseOfTorch() {
    SequencedMap<String, Tensor> parameters = parameters("", Shape.of(37, 1));
    Run run = new Run(parameters, Double.POSITIVE_INFINITY);
    for (int step = 1; step <= STEPS; step++) {
      run.step(step);
      check(parameters, step);
    }
  }

  @Test
  void fiveStepsWithClippingAreThoseOfTorch() {
    SequencedMap<String, Tensor> parameters = parameters("clip.a.", Shape.of(5, 7));
    parameters.putAll(parameters("clip.b.", Shape.of(11, 1)));
    Run run = new Run(parameters, 1.0);
    SequencedMap<String, double[]> moments = new LinkedHashMap<>();
    parameters.forEach((name, p) -> moments.put(name, new double[(int) p.shape().count()]));
    for (int step = 1; step <= STEPS; step++) {
      double norm = expected.read("clip.norm").get(step - 1);
      assertThat(run.step(step)).isCloseTo(norm, within(1e-6 * norm));
      check(parameters, step);
      for (String name : parameters.keySet()) {
        checkFirstMoment(run, name, moments.get(name), step);
      }
    }
  }

  @Test
  void vectorsAreNotDecayed() {
    SequencedMap<String, Tensor> vector = parameters("", Shape.of(37));
    new Run(vector, Double.POSITIVE_INFINITY).step(1);
    Span start = expected.read("params.0");
    Span decayed = expected.read("params.1");
    Span actual = vector.get("").span();
    for (long i = 0; i < actual.length(); i++) {
      double undecayed = decayed.get(i) + RATE * DECAY * start.get(i);
      assertThat(actual.get(i))
          .as("element " + i)
          .isCloseTo(undecayed, within(rounding(undecayed)));
    }
  }

  private SequencedMap<String, Tensor> parameters(String prefix, Shape shape) {
    SequencedMap<String, Tensor> map = new LinkedHashMap<>();
    map.put(prefix, bench.copy(expected.read(prefix + "params.0"), shape, DType.F32).asParameter());
    return map;
  }

  private void check(SequencedMap<String, Tensor> parameters, int step) {
    parameters.forEach(
        (prefix, p) -> {
          Span reference = expected.read(prefix + "params." + step);
          for (long i = 0; i < reference.length(); i++) {
            assertThat(p.span().get(i))
                .as(prefix + "params." + step + ", element " + i)
                .isCloseTo(reference.get(i), within(step * rounding(reference.get(i))));
          }
        });
  }

  /** The first moment is a plain average of the clipped gradients, so it shows the clipping. */
  private void checkFirstMoment(Run run, String prefix, double[] moment, int step) {
    Span clipped = expected.read(prefix + "clipped." + step);
    Span actual = run.optimizer.state().get("first_moment." + prefix).span();
    for (int i = 0; i < moment.length; i++) {
      moment[i] = 0.9 * moment[i] + 0.1 * clipped.get(i);
      assertThat(actual.get(i))
          .as("first moment of " + prefix + " after step " + step + ", element " + i)
          .isCloseTo(moment[i], within(1e-6 * Math.abs(moment[i]) + 1e-8));
    }
  }

  /**
   * What one step may add: half a unit in the last place of an F32 parameter, doubled for the sum
   * of the two terms, and 1e-6 of the step itself, for its F32 moments, root and quotient.
   */
  private static double rounding(double parameter) {
    return Math.abs(parameter) * 0x1p-23 + RATE * 1e-6;
  }

  private final class Run {
    private final SequencedMap<String, Tensor> parameters;
    private final Gradients gradients;
    private final AdamW optimizer;

    Run(SequencedMap<String, Tensor> parameters, double clip) {
      this.parameters = parameters;
      this.gradients = new Gradients(bench.arena(), bench.kernels(), parameters.values());
      this.optimizer =
          new AdamW(
              new AdamW.Options(0.9, 0.95, 1e-5, DECAY, clip),
              bench.arena(),
              bench.kernels(),
              parameters);
    }

    double step(int step) {
      parameters.forEach(
          (prefix, p) ->
              bench.kernels().copy(expected.read(prefix + "grad." + step), gradients.of(p).span()));
      return optimizer.step(bench.kernels(), gradients, step, RATE);
    }
  }
}
