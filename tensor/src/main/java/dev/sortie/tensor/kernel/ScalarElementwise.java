package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference copies, element-wise arithmetic, sums and the optimiser step. */
final class ScalarElementwise {
  private static final int BLOCK = 4096;

  private ScalarElementwise() {}

  static void run(ElementwiseCall call) {
    switch (call) {
      case ElementwiseCall.Fill c -> fill(c.y(), c.value());
      case ElementwiseCall.Copy c -> copy(c.x(), c.y());
      case ElementwiseCall.CopyStrided c -> copyStrided(c);
      case ElementwiseCall.AddStrided c -> addStrided(c);
      case ElementwiseCall.Add c -> map(c.x(), c.y(), c.z(), Double::sum);
      case ElementwiseCall.Mul c -> map(c.x(), c.y(), c.z(), (x, y) -> x * y);
      case ElementwiseCall.MulAdd c -> mulAdd(c.x(), c.y(), c.z());
      case ElementwiseCall.Scale c -> map(c.x(), c.x(), c.y(), (x, same) -> c.a() * x);
      case ElementwiseCall.Axpy c -> map(c.x(), c.y(), c.y(), (x, y) -> y + c.a() * x);
      case ElementwiseCall.AddScalar c -> map(c.y(), c.y(), c.y(), (y, same) -> y + c.a());
      case ElementwiseCall.Dropout c -> {
        for (long i = 0; i < c.y().length(); i++) {
          c.y().set(i, c.x().get(i) * c.mask().factor(i));
        }
      }
      case ElementwiseCall.DropoutAdd c -> {
        for (long i = 0; i < c.y().length(); i++) {
          c.y().add(i, c.x().get(i) * c.mask().factor(i));
        }
      }
    }
  }

  @FunctionalInterface
  interface Binary {
    double apply(double x, double y);
  }

  @FunctionalInterface
  private interface Block {
    void run(long from, int count);
  }

  private static void blocks(long n, Block block) {
    for (long from = 0; from < n; from += BLOCK) {
      block.run(from, (int) Math.min(BLOCK, n - from));
    }
  }

  private static void fill(Span y, double value) {
    double[] row = new double[BLOCK];
    java.util.Arrays.fill(row, value);
    blocks(y.length(), (from, count) -> ScalarRows.store(y, from, row, count));
  }

  private static void copy(Span x, Span y) {
    double[] row = new double[BLOCK];
    blocks(
        x.length(),
        (from, count) -> {
          ScalarRows.load(x, from, row, count);
          ScalarRows.store(y, from, row, count);
        });
  }

  /** {@code z[i] = f(x[i], y[i])}; {@code z} may be an input. */
  static void map(Span x, Span y, Span z, Binary f) {
    double[] a = new double[BLOCK];
    double[] b = new double[BLOCK];
    blocks(
        x.length(),
        (from, count) -> {
          ScalarRows.load(x, from, a, count);
          ScalarRows.load(y, from, b, count);
          for (int i = 0; i < count; i++) {
            a[i] = f.apply(a[i], b[i]);
          }
          ScalarRows.store(z, from, a, count);
        });
  }

  private static void mulAdd(Span x, Span y, Span z) {
    double[] a = new double[BLOCK];
    double[] b = new double[BLOCK];
    blocks(
        x.length(),
        (from, count) -> {
          ScalarRows.load(x, from, a, count);
          ScalarRows.load(y, from, b, count);
          for (int i = 0; i < count; i++) {
            a[i] *= b[i];
          }
          ScalarRows.add(z, from, a, count);
        });
  }

  static double sum(KernelQuery.Sum call) {
    double all = 0;
    for (Span x : call.tensors()) {
      all += sum(x, call.squares());
    }
    return all;
  }

  private static double sum(Span x, boolean squares) {
    double[] row = new double[BLOCK];
    double sum = 0;
    for (long from = 0; from < x.length(); from += BLOCK) {
      int count = (int) Math.min(BLOCK, x.length() - from);
      ScalarRows.load(x, from, row, count);
      for (int i = 0; i < count; i++) {
        sum += squares ? row[i] * row[i] : row[i];
      }
    }
    return sum;
  }

  private static void copyStrided(ElementwiseCall.CopyStrided call) {
    walk(call.layout(), (from, to) -> call.y().set(from, call.x().get(to)));
  }

  private static void addStrided(ElementwiseCall.AddStrided call) {
    walk(call.layout(), (from, to) -> call.y().add(to, call.x().get(from)));
  }

  @FunctionalInterface
  private interface Visitor {
    void visit(long index, long offset);
  }

  /**
   * Visits the elements of a view in row-major order: their running index and their offset from the
   * base.
   */
  private static void walk(Strided layout, Visitor visitor) {
    long[] shape = layout.shape();
    long[] strides = layout.strides();
    long count = layout.count();
    long[] at = new long[shape.length];
    long offset = 0;
    for (long i = 0; i < count; i++) {
      visitor.visit(i, offset);
      for (int d = shape.length - 1; d >= 0; d--) {
        offset += strides[d];
        if (++at[d] < shape[d]) {
          break;
        }
        offset -= shape[d] * strides[d];
        at[d] = 0;
      }
    }
  }

  static void adamW(AdamWCall.Update call) {
    AdamWCall o = call.options();
    for (long i = 0; i < call.param().length(); i++) {
      double g = o.gradScale() * call.grad().get(i);
      double mi = o.beta1() * call.m().get(i) + (1 - o.beta1()) * g;
      double vi = o.beta2() * call.v().get(i) + (1 - o.beta2()) * g * g;
      call.m().set(i, mi);
      call.v().set(i, vi);
      double p = call.param().get(i);
      double direction = mi / o.correction1() / (Math.sqrt(vi / o.correction2()) + o.epsilon());
      call.param().set(i, p - o.learningRate() * (direction + o.weightDecay() * p));
    }
  }
}
