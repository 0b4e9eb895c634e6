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
        Operands.sameLength("copy", x, y),
        (from, count) -> {
          ScalarRows.load(x, from, row, count);
          ScalarRows.store(y, from, row, count);
        });
  }

  /** {@code z[i] = f(x[i], y[i])}; {@code z} may be an input. */
  static void map(String what, Span x, Span y, Span z, Binary f) {
    Operands.sameLength(what, x, y);
    double[] a = new double[BLOCK];
    double[] b = new double[BLOCK];
    blocks(
        Operands.sameLength(what, x, z),
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
    Operands.sameLength("mulAdd", x, y);
    double[] a = new double[BLOCK];
    double[] b = new double[BLOCK];
    blocks(
        Operands.sameLength("mulAdd", x, z),
        (from, count) -> {
          ScalarRows.load(x, from, a, count);
          ScalarRows.load(y, from, b, count);
          for (int i = 0; i < count; i++) {
            a[i] *= b[i];
          }
          ScalarRows.add(z, from, a, count);
        });
  }

  static double sum(Span x, boolean squares) {
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

  static void sumRows(Span x, Span y, int rows, int cols) {
    Operands.length("sumRows x", x, (long) rows * cols);
    Operands.length("sumRows y", y, cols);
    double[] row = new double[cols];
    double[] sum = new double[cols];
    for (long r = 0; r < rows; r++) {
      ScalarRows.load(x, r * cols, row, cols);
      for (int c = 0; c < cols; c++) {
        sum[c] += row[c];
      }
    }
    ScalarRows.add(y, 0, sum, cols);
  }

  static void copyStrided(Span x, Strided layout, Span y) {
    if (x.dtype() != y.dtype()) {
      throw new IllegalArgumentException(
          "copyStrided from " + x.dtype() + " to " + y.dtype() + "; the types must be equal");
    }
    Operands.view("copyStrided x", x, layout);
    Operands.length("copyStrided y", y, layout.count());
    walk(layout, (from, to) -> y.set(from, x.get(to)));
  }

  static void addStrided(Span x, Span y, Strided layout) {
    Operands.length("addStrided x", x, layout.count());
    Operands.view("addStrided y", y, layout);
    walk(layout, (from, to) -> y.add(to, x.get(from)));
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

  static void adamW(Span param, Span grad, Span m, Span v, AdamW o) {
    Operands.sameLength("adamW grad", param, grad);
    Operands.sameLength("adamW m", param, m);
    Operands.sameLength("adamW v", param, v);
    for (long i = 0; i < param.length(); i++) {
      double g = o.gradScale() * grad.get(i);
      double mi = o.beta1() * m.get(i) + (1 - o.beta1()) * g;
      double vi = o.beta2() * v.get(i) + (1 - o.beta2()) * g * g;
      m.set(i, mi);
      v.set(i, vi);
      double p = param.get(i);
      double direction = mi / o.correction1() / (Math.sqrt(vi / o.correction2()) + o.epsilon());
      param.set(i, p - o.learningRate() * (direction + o.weightDecay() * p));
    }
  }
}
