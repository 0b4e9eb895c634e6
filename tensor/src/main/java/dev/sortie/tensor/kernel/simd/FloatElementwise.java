package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.BF16;
import static dev.sortie.tensor.DType.F16;
import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.Operands.sameLength;
import static dev.sortie.tensor.kernel.Operands.view;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.memory.Span;
import java.util.List;

/**
 * What is done to elements one by one, and their sums, in F32: checks operands and shares out the
 * work.
 */
final class FloatElementwise {
  private final WorkerPool pool;

  FloatElementwise(WorkerPool pool) {
    this.pool = pool;
  }

  /** Whether {@link #copy} has code for these types. */
  static boolean copies(DType in, DType out) {
    return in == out
        || out == F32 && (in == BF16 || in == F16 || in.isQuantised())
        || in == F32 && (out == BF16 || out == F16 || out.isQuantised());
  }

  void fill(Span y, double value) {
    check("fill", y, F32, 0);
    long to = y.address();
    Split.elements(
        pool,
        y.length(),
        (from, end) -> Elementwise.fill(to + 4 * from, end - from, (float) value));
  }

  void copy(Span x, Span y) {
    long n = sameLength("copy", x, y);
    long a = x.address();
    long b = y.address();
    DType in = x.dtype();
    DType out = y.dtype();
    if (in == out) {
      long bytes = in.bytes(n);
      Split.elements(
          pool, bytes, (from, to) -> Conversions.copyBytes(a + from, b + from, to - from));
    } else if (out == F32 && (in == BF16 || in == F16 || in.isQuantised())) {
      Split.elements(
          pool,
          n,
          (from, to) -> Conversions.widen(in, a + in.bytes(from), b + 4 * from, to - from));
    } else if (in == F32 && out == BF16) {
      Split.elements(
          pool, n, (from, to) -> Conversions.toBf16(a + 4 * from, b + 2 * from, to - from));
    } else if (in == F32 && out == F16) {
      Split.elements(
          pool, n, (from, to) -> Conversions.toF16(a + 4 * from, b + 2 * from, to - from));
    } else if (in == F32 && out.isQuantised()) {
      Split.elements(
          pool,
          n,
          (from, to) -> Conversions.quantise(out, a + 4 * from, b + out.bytes(from), to - from));
    } else {
      throw new IllegalArgumentException("no vector code for a copy from " + in + " to " + out);
    }
  }

  void copyStrided(Span x, Strided layout, Span y) {
    view("copyStrided x", x, layout);
    check("copyStrided y", y, x.dtype(), layout.count());
    StridedCopies.copy(pool, x.address(), layout, y.address(), x.dtype().bytes());
  }

  void addStrided(Span x, Span y, Strided layout) {
    check("addStrided x", x, F32, layout.count());
    check("addStrided y", y, F32, 0);
    view("addStrided y", y, layout);
    StridedCopies.add(pool, x.address(), y.address(), layout);
  }

  void add(Span x, Span y, Span z) {
    ThreeRuns.of(pool, "add", x, y, z, Elementwise::add);
  }

  void mul(Span x, Span y, Span z) {
    ThreeRuns.of(pool, "mul", x, y, z, Elementwise::mul);
  }

  void mulAdd(Span x, Span y, Span z) {
    ThreeRuns.of(pool, "mulAdd", x, y, z, Elementwise::mulAdd);
  }

  void scale(double a, Span x, Span y) {
    ThreeRuns.of(pool, "scale", x, x, y, (p, same, q, n) -> Elementwise.scale((float) a, p, q, n));
  }

  void axpy(double a, Span x, Span y) {
    ThreeRuns.of(pool, "axpy", x, x, y, (p, same, q, n) -> Elementwise.axpy((float) a, p, q, n));
  }

  void addScalar(double a, Span y) {
    ThreeRuns.of(
        pool, "addScalar", y, y, y, (p, same, q, n) -> Elementwise.addScalar((float) a, q, n));
  }

  double sum(Span x) {
    check("sum", x, F32, 0);
    return Sums.sum(pool, x.address(), x.length());
  }

  double sumSquares(List<Span> tensors) {
    tensors.forEach(x -> check("sumSquares", x, F32, 0));
    return ManyTensors.sumSquares(pool, tensors);
  }

  void sumRows(Span x, Span y, int rows, int cols) {
    check("sumRows x", x, F32, (long) rows * cols);
    check("sumRows y", y, F32, cols);
    long a = x.address();
    long b = y.address();
    Split.columns(pool, cols, rows, (from, to) -> Sums.rows(a, b, rows, cols, from, to));
  }
}
