package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/** Reference copies, element-wise arithmetic, sums and the optimiser step. */
final class ScalarElementwise {
  private static final int BLOCK = 4096;

  private ScalarElementwise() {}

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

  static void fill(Span y, double value) {
    double[] row = new double[BLOCK];
    java.util.Arrays.fill(row, value);
    blocks(y.length(), (from, count) -> ScalarRows.store(y, from, row, count));
  }

  static void copy(Span x, Span y) {
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

  static void mulAdd(Span x, Span y, Span z) {
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

  static void sumRows(MatrixCall.SumRows call) {
    int cols = call.cols();
    double[] row = new double[cols];
    double[] sum = new double[cols];
    for (long r = 0; r < call.rows(); r++) {
      ScalarRows.load(call.x(), r * cols, row, cols);
      for (int c = 0; c < cols; c++) {
        sum[c] += row[c];
      }
    }
    ScalarRows.add(call.y(), 0, sum, cols);
  }

  static void copyStrided(ElementwiseCall.CopyStrided call) {
    walk(call.layout(), (from, to) -> call.y().set(from, call.x().get(to)));
  }

  static void addStrided(ElementwiseCall.AddStrided call) {
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

  static void adamW(AdamW.Update call) {
    AdamW o = call.options();
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
