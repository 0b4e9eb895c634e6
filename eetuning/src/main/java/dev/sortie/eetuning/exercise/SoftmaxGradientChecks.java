package dev.sortie.eetuning.exercise;

import dev.sortie.tensor.Random;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.ForeignOp;
import dev.sortie.tensor.autograd.GradCheck;
import dev.sortie.tensor.autograd.Node;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.autograd.Sink;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Workspace;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * What holds of the gradient of softmax. The solution becomes an op of the engine, and {@link
 * GradCheck}, which checks all of the engine's ops, compares it with finite differences.
 */
final class SoftmaxGradientChecks {
  private static final double ROUNDING = 1e-12;

  private SoftmaxGradientChecks() {}

  static List<Check> of(SoftmaxGradient solution) {
    LearnersSoftmax op = new LearnersSoftmax(solution);
    return List.of(
        Check.of(
            "one row agrees with finite differences",
            "Every y_i depends on every x_j of its row: ∂y_i/∂x_j = y_i (1 - y_i) if i = j, else -y_i y_j. Sum dy_i ∂y_i/∂x_j over i.",
            () -> differences((ops, x) -> ops.apply(op, x), Shape.of(1, 5))),
        Check.of(
            "three rows agree with finite differences",
            "Rows do not know of each other: keep nothing from one call to the next.",
            () -> differences((ops, x) -> ops.apply(op, x), Shape.of(3, 5))),
        Check.of(
            "softmax of softmax agrees with finite differences",
            "dy may be any numbers, not only those of one loss.",
            () -> differences((ops, x) -> ops.apply(op, ops.apply(op, x)), Shape.of(2, 4))),
        Check.of(
            "a gradient that is the same everywhere gives zero",
            "The y_i of a row always add up to 1. So adding the same to all dy_i changes nothing.",
            () -> constant(solution)),
        Check.of(
            "certain rows give what the engine gives",
            "Do not divide by y_i or take its logarithm: it may be 0.",
            () -> engine(solution, 4, 900)),
        Check.of(
            "a row of 50,257 logits gives what the engine gives",
            "Σ_j y_j dy_j is one number for the whole row: compute it once, in one loop.",
            () -> engine(solution, 50257, 3)),
        Check.of(
            "y and dy are left as they are",
            "Others read them too. Put the result into a new array.",
            () -> untouched(solution)));
  }

  /** The engine's softmax with the learner's gradient. */
  private record LearnersSoftmax(SoftmaxGradient gradient) implements ForeignOp {
    @Override
    public Shape shape(List<Tensor> in) {
      return in.getFirst().shape();
    }

    @Override
    public void forward(Kernels k, Node n) {
      Shape s = n.output().shape();
      k.softmax(n.inputs().getFirst().span(), n.output().span(), s.rows(), s.size(-1));
    }

    @Override
    public void vjp(Kernels k, Node n, Tensor dy, Sink sink) {
      if (!sink.wants(0)) {
        return;
      }
      Span dx = sink.add(0);
      int width = n.output().shape().size(-1);
      for (long row = 0; row < n.output().shape().rows(); row++) {
        double[] x =
            backward(gradient, row(n.output().span(), row, width), row(dy.span(), row, width));
        for (int i = 0; i < width; i++) {
          dx.set(row * width + i, dx.get(row * width + i) + x[i]);
        }
      }
    }

    private static double[] row(Span span, long row, int width) {
      return IntStream.range(0, width).mapToDouble(i -> span.get(row * width + i)).toArray();
    }
  }

  private static double[] backward(SoftmaxGradient solution, double[] y, double[] dy) {
    double[] dx = solution.backward(y, dy);
    Check.require(dx != null, "the gradient is null");
    Check.require(
        dx.length == y.length, "the gradient has %d numbers, the row %d", dx.length, y.length);
    return dx;
  }

  /** As the engine checks its own ops. */
  private static void differences(BiFunction<Ops, Tensor, Tensor> f, Shape shape) {
    try (Device device = Device.cpu(1);
        Workspace workspace = new Workspace();
        NativeArena arena = new NativeArena("exercise")) {
      Tensor x = normal(arena, shape, 1).asParameter();
      Ops ops = new Ops(device, workspace);
      GradCheck.check(ops, in -> f.apply(ops, in.getFirst()), x);
    }
  }

  private static Tensor normal(NativeArena arena, Shape shape, double scale) {
    Tensor t = Tensor.allocate(arena, DType.F64, shape);
    Random random = new Random(7, 0);
    for (long i = 0; i < shape.count(); i++) {
      t.span().set(i, scale * random.normal(i));
    }
    return t;
  }

  private static void constant(SoftmaxGradient solution) {
    double[] y = {0.1, 0.2, 0.3, 0.4};
    double[] dy = new double[y.length];
    Arrays.fill(dy, 2.5);
    double[] dx = backward(solution, y, dy);
    for (int i = 0; i < dx.length; i++) {
      Check.require(
          Math.abs(dx[i]) <= ROUNDING,
          "y %s, dy all 2.5: dx_%d is %s, expected 0",
          Arrays.toString(y),
          i,
          dx[i]);
    }
  }

  /** Compares with the engine's kernel. */
  private static void engine(SoftmaxGradient solution, int width, double scale) {
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("exercise")) {
      Shape shape = Shape.of(1, width);
      Tensor y = normal(arena, shape, scale);
      device.kernels().softmax(y.span(), y.span(), 1, width);
      Tensor dy = normal(arena, shape, -1);
      Tensor expected = Tensor.allocate(arena, DType.F64, shape);
      device.kernels().softmaxBackward(y.span(), dy.span(), expected.span(), 1, width);
      double[] dx =
          backward(
              solution,
              LearnersSoftmax.row(y.span(), 0, width),
              LearnersSoftmax.row(dy.span(), 0, width));
      for (int i = 0; i < width; i++) {
        double e = expected.span().get(i);
        Check.require(
            Math.abs(dx[i] - e) <= ROUNDING, "element %d is %s, the engine's %s", i, dx[i], e);
      }
    }
  }

  private static void untouched(SoftmaxGradient solution) {
    double[] y = {0.5, 0.25, 0.25};
    double[] dy = {1, -2, 3};
    backward(solution, y, dy);
    Check.require(Arrays.equals(y, new double[] {0.5, 0.25, 0.25}), "y was changed");
    Check.require(Arrays.equals(dy, new double[] {1, -2, 3}), "dy was changed");
  }
}
