package dev.sortie.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * The yardstick itself: forward kernels against values known from elsewhere, backward kernels
 * against central differences of the forward ones, in F64.
 */
class ScalarKernelsAccuracyTest {
  private static final double STEP = 1e-5;
  private static final double HELD = 0.5;

  private final Kernels kernels = new ScalarKernels();

  @FunctionalInterface
  private interface Forward {
    void run(Span[] inputs, Span output);
  }

  @FunctionalInterface
  private interface Backward {
    void run(Span[] inputs, Span output, Span gradient, Span[] gradients);
  }

  @Test
  void linearAndGemmAgreeOnASmallProduct() {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = of(arena, 1, 2, 3, 4, 5, 6);
      Span w = of(arena, 1, 0, -1, 2, 1, 0);
      Span y = of(arena, 0, 0, 0, 0);
      kernels.linear(x, w, of(arena, 10, 20), y, 2, 2, 3);
      assertThat(values(y)).containsExactly(8, 24, 8, 33);
      kernels.gemm(false, true, 2, 2, 3, x, w, y, true);
      assertThat(values(y)).containsExactly(6, 28, 6, 46);
      // x as [3,2] transposed is [[1,3,5],[2,4,6]]; w as [3,2] is [[1,0],[-1,2],[1,0]].
      kernels.gemm(true, false, 2, 2, 3, x, w, y, false);
      assertThat(values(y)).containsExactly(3, 6, 4, 8);
    }
  }

  @Test
  void activationsTakeKnownValues() {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = of(arena, -3, -1, 0, 0.5, 2, 4);
      Span y = of(arena, new double[6]);
      kernels.gelu(x, y, false);
      double[] cdf = {
        0.0013498980316300946,
        0.15865525393145707,
        0.5,
        0.6914624612740131,
        0.9772498680518208,
        0.9999683287581669
      };
      for (int i = 0; i < 6; i++) {
        assertThat(y.get(i)).isCloseTo(x.get(i) * cdf[i], within(1e-14));
      }
      kernels.gelu(x, y, true);
      assertThat(y.get(4)).isCloseTo(1.954597694087775, within(1e-12));
      kernels.swiglu(x, of(arena, 1, 1, 1, 1, 1, 1), y);
      assertThat(y.get(4)).isCloseTo(1.7615941559557649, within(1e-14));
    }
  }

  @Test
  void softmaxAndLossesTakeKnownValues() {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = of(arena, Math.log(1), Math.log(2), Math.log(5));
      Span y = of(arena, 0, 0, 0);
      kernels.softmax(x, y, 1, 3);
      assertThat(y.get(2)).isCloseTo(0.625, within(1e-15));
      Span target = arena.allocate(DType.I32, 1).span();
      target.set(0, 1);
      Span loss = of(arena, 0);
      Span lse = of(arena, 0);
      kernels.crossEntropy(x, target, loss, lse, 1, 3);
      assertThat(loss.get(0)).isCloseTo(Math.log(4), within(1e-14));
      assertThat(lse.get(0)).isCloseTo(Math.log(8), within(1e-14));
      Span uniform = of(arena, 7, 7, 7);
      kernels.kl(uniform, x, loss, lse, of(arena, 0), 1, 3);
      double entropy = (Math.log(8) + 2 * Math.log(4) + 5 * Math.log(1.6)) / 8;
      assertThat(loss.get(0)).isCloseTo(Math.log(3) - entropy, within(1e-14));
    }
  }

  @Test
  void attentionOfEqualScoresIsTheMeanOfWhatIsVisible() {
    try (NativeArena arena = new NativeArena("test")) {
      Span q = of(arena, 0, 0, 0, 0, 0, 0, 0, 0);
      Span kv = of(arena, 1, 10, 3, 20, 8, 30);
      Span out = of(arena, new double[8]);
      Span lse = of(arena, new double[4]);
      kernels.attention(q, kv, kv, out, lse, new AttentionShape(1, 2, 3, 2, 1, 2, 1));
      assertThat(values(out))
          .usingComparatorWithPrecision(1e-12)
          .containsExactly(2, 15, 2, 15, 4, 20, 4, 20);
      assertThat(lse.get(0)).isCloseTo(Math.log(2), within(1e-14));
      assertThat(lse.get(1)).isCloseTo(Math.log(3), within(1e-14));
    }
  }

  @Test
  void ropeTurnsAPairByItsAngle() {
    try (NativeArena arena = new NativeArena("test")) {
      Span x = of(arena, 1, 2, 3, 4);
      Span y = of(arena, 0, 0, 0, 0);
      kernels.rope(
          x, of(arena, 0, 1), of(arena, 1, 0), y, new RopeShape(1, 1, 1, 4, 4, 0, false), false);
      assertThat(values(y)).containsExactly(-3, 2, 1, 4);
      kernels.rope(
          x, of(arena, 0, 1), of(arena, 1, 0), y, new RopeShape(1, 1, 1, 4, 4, 0, true), false);
      assertThat(values(y)).containsExactly(-2, 1, 3, 4);
    }
  }

  @Test
  void backwardKernelsAreTheDerivativesOfForwardKernels() {
    int r = 3;
    int c = 5;
    int n = r * c;
    try (NativeArena arena = new NativeArena("test")) {
      Span rstd = of(arena, new double[r]);
      Span mean = of(arena, new double[r]);
      gradients(
          "rmsNorm",
          HELD,
          n,
          (in, out) -> kernels.rmsNorm(in[0], in[1], 1e-5, out, rstd, r, c),
          (in, out, g, gs) -> kernels.rmsNormBackward(in[0], in[1], rstd, g, gs[0], gs[1], r, c),
          n,
          c);
      gradients(
          "layerNorm",
          HELD,
          n,
          (in, out) -> kernels.layerNorm(in[0], in[1], in[2], 1e-5, out, mean, rstd, r, c),
          (in, out, g, gs) ->
              kernels.layerNormBackward(in[0], in[1], mean, rstd, g, gs[0], gs[1], gs[2], r, c),
          n,
          c,
          c);
      gradients(
          "swiglu",
          0,
          n,
          (in, out) -> kernels.swiglu(in[0], in[1], out),
          (in, out, g, gs) -> kernels.swigluBackward(in[0], in[1], g, gs[0], gs[1]),
          n,
          n);
      for (boolean tanh : new boolean[] {false, true}) {
        gradients(
            "gelu",
            HELD,
            n,
            (in, out) -> kernels.gelu(in[0], out, tanh),
            (in, out, g, gs) -> kernels.geluBackward(in[0], g, gs[0], tanh),
            n);
      }
      gradients(
          "softmax",
          HELD,
          n,
          (in, out) -> kernels.softmax(in[0], out, r, c),
          (in, out, g, gs) -> kernels.softmaxBackward(out, g, gs[0], r, c),
          n);
      Span targets = arena.allocate(DType.I32, r).span();
      targets.set(0, 4);
      targets.set(1, -1);
      gradients(
          "crossEntropy",
          HELD,
          r,
          (in, out) -> kernels.crossEntropy(in[0], targets, out, mean, r, c),
          (in, out, g, gs) -> kernels.crossEntropyBackward(in[0], targets, mean, g, gs[0], r, c),
          n);
      Span teacher = random(arena, n, new SplittableRandom(5));
      gradients(
          "kl",
          HELD,
          r,
          (in, out) -> kernels.kl(in[0], teacher, out, mean, rstd, r, c),
          (in, out, g, gs) -> kernels.klBackward(in[0], teacher, mean, rstd, g, gs[0], r, c),
          n);
      AttentionShape a = new AttentionShape(2, 3, 4, 4, 2, 3, 0.7);
      AttentionShape near = new AttentionShape(2, 3, 4, 4, 2, 3, 0.7, 2);
      Span lse = of(arena, new double[24]);
      gradients(
          "attention",
          0,
          72,
          (in, out) -> kernels.attention(in[0], in[1], in[2], out, lse, a),
          (in, out, g, gs) ->
              kernels.attentionBackward(in[0], in[1], in[2], out, lse, g, gs[0], gs[1], gs[2], a),
          72,
          48,
          48);
      gradients(
          "attention within a window",
          0,
          72,
          (in, out) -> kernels.attention(in[0], in[1], in[2], out, lse, near),
          (in, out, g, gs) ->
              kernels.attentionBackward(
                  in[0], in[1], in[2], out, lse, g, gs[0], gs[1], gs[2], near),
          72,
          48,
          48);
    }
  }

  /**
   * Compares the gradients of {@code Σ weight[i] output[i]} for each input.
   *
   * @param added what of {@link #HELD}, which the gradients hold before, is still in them
   */
  private void gradients(
      String name, double added, int outputs, Forward forward, Backward backward, int... sizes) {
    SplittableRandom random = new SplittableRandom(1);
    try (NativeArena arena = new NativeArena("test")) {
      Span[] inputs = new Span[sizes.length];
      Span[] gradients = new Span[sizes.length];
      for (int i = 0; i < sizes.length; i++) {
        inputs[i] = random(arena, sizes[i], random);
        gradients[i] = arena.allocate(DType.F64, sizes[i]).span();
        kernels.fill(gradients[i], HELD);
      }
      Span weight = random(arena, outputs, random);
      Span output = arena.allocate(DType.F64, outputs).span();
      forward.run(inputs, output);
      backward.run(inputs, output, weight, gradients);
      for (int i = 0; i < sizes.length; i++) {
        for (int e = 0; e < sizes[i]; e++) {
          double x = inputs[i].get(e);
          inputs[i].set(e, x + STEP);
          forward.run(inputs, output);
          double above = dot(weight, output);
          inputs[i].set(e, x - STEP);
          forward.run(inputs, output);
          double slope = (above - dot(weight, output)) / (2 * STEP);
          inputs[i].set(e, x);
          assertThat(gradients[i].get(e))
              .as("%s, input %d, element %d", name, i, e)
              .isCloseTo(slope + added, within(1e-7));
        }
      }
    }
  }

  private static double dot(Span a, Span b) {
    double sum = 0;
    for (int i = 0; i < a.length(); i++) {
      sum += a.get(i) * b.get(i);
    }
    return sum;
  }

  private static Span random(NativeArena arena, int n, SplittableRandom random) {
    Span span = arena.allocate(DType.F64, n).span();
    for (int i = 0; i < n; i++) {
      span.set(i, random.nextDouble(-1.5, 1.5));
    }
    return span;
  }

  private static Span of(NativeArena arena, double... values) {
    Span span = arena.allocate(DType.F64, values.length).span();
    for (int i = 0; i < values.length; i++) {
      span.set(i, values[i]);
    }
    return span;
  }

  private static double[] values(Span span) {
    double[] values = new double[(int) span.length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = span.get(i);
    }
    return values;
  }
}
