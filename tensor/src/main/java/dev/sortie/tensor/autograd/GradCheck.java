package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Compares gradients with central differences in F64: {@code (f(x + h) - f(x - h)) / 2h} for every
 * element of every parameter. The tolerances are those of PyTorch's gradcheck: h 1e-6, absolute
 * 1e-5, relative 1e-3.
 */
public final class GradCheck {
  private static final double STEP = 1e-6;
  private static final double ABSOLUTE = 1e-5;
  private static final double RELATIVE = 1e-3;

  private GradCheck() {}

  /**
   * Fails unless the gradient of {@code f} agrees with differences.
   *
   * @param ops where to compute
   * @param f computes a tensor from the parameters; a weighted sum of its elements is
   *     differentiated
   * @param parameters F64 parameters, changed during the check and restored
   * @throws AssertionError naming the first element that differs and both values
   */
  public static void check(Ops ops, Function<List<Tensor>, Tensor> f, Tensor... parameters) {
    List<Tensor> list = Arrays.asList(parameters);
    for (Tensor p : list) {
      if (p.dtype() != DType.F64 || !p.isParameter()) {
        throw new IllegalArgumentException("gradient checks need F64 parameters, got " + p);
      }
    }
    try (NativeArena arena = new NativeArena("gradient check")) {
      Gradients gradients = new Gradients(arena, ops.kernels(), list);
      try (var _ = ops.workspace().mark()) {
        Backward.run(ops.kernels(), ops.workspace(), objective(ops, f.apply(list)), gradients);
      }
      for (int i = 0; i < parameters.length; i++) {
        compare(ops, f, list, i, gradients.of(parameters[i]));
      }
    }
  }

  private static void compare(
      Ops ops, Function<List<Tensor>, Tensor> f, List<Tensor> list, int i, Tensor gradient) {
    var x = list.get(i).span();
    for (long e = 0; e < x.length(); e++) {
      double old = x.get(e);
      x.set(e, old + STEP);
      double up = value(ops, f, list);
      x.set(e, old - STEP);
      double down = value(ops, f, list);
      x.set(e, old);
      double expected = (up - down) / (2 * STEP);
      double actual = gradient.span().get(e);
      if (!(Math.abs(actual - expected) <= ABSOLUTE + RELATIVE * Math.abs(expected))) {
        throw new AssertionError(
            String.format(
                Locale.ROOT,
                "gradient of input %d, element %d: %.9g, by differences %.9g",
                i,
                e,
                actual,
                expected));
      }
    }
  }

  private static double value(Ops ops, Function<List<Tensor>, Tensor> f, List<Tensor> list) {
    try (var _ = ops.workspace().mark()) {
      return NoGrad.call(() -> objective(ops, f.apply(list)).item());
    }
  }

  /** A sum with a different weight for each element, so that errors cannot cancel. */
  private static Tensor objective(Ops ops, Tensor y) {
    Tensor w = ops.empty(DType.F64, y.shape());
    for (long e = 0; e < w.shape().count(); e++) {
      w.span().set(e, 1 + 0.37 * Math.sin(1.7 * e + 0.3));
    }
    return ops.sum(ops.mul(y, w));
  }
}
