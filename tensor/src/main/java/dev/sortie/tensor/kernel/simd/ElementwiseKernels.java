package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.dtype.DType.BF16;
import static dev.sortie.tensor.dtype.DType.F16;
import static dev.sortie.tensor.dtype.DType.F32;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.DropoutMask;
import dev.sortie.tensor.kernel.ElementwiseCall;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.DropoutLoop;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.memory.Span;

/** Element-wise calls, and copies also from type to type, shared among the threads. */
final class ElementwiseKernels {
  private ElementwiseKernels() {}

  static void run(WorkerPool pool, ElementwiseCall call) {
    switch (call) {
      case ElementwiseCall.Add c -> ThreeRuns.of(pool, c.x(), c.y(), c.z(), Elementwise::add);
      case ElementwiseCall.Copy c -> copy(pool, c);
      case ElementwiseCall.CopyStrided c -> StridedCopies.copy(pool, c);
      case ElementwiseCall.AddStrided c -> StridedCopies.add(pool, c);
      case ElementwiseCall.Fill c -> fill(pool, c);
      case ElementwiseCall.Mul c -> ThreeRuns.of(pool, c.x(), c.y(), c.z(), Elementwise::mul);
      case ElementwiseCall.MulAdd c -> ThreeRuns.of(pool, c.x(), c.y(), c.z(), Elementwise::mulAdd);
      case ElementwiseCall.Scale c -> {
        float a = (float) c.a();
        ThreeRuns.of(pool, c.x(), c.x(), c.y(), (x, same, y, n) -> Elementwise.scale(a, x, y, n));
      }
      case ElementwiseCall.Axpy c -> {
        float a = (float) c.a();
        ThreeRuns.of(pool, c.x(), c.x(), c.y(), (x, same, y, n) -> Elementwise.axpy(a, x, y, n));
      }
      case ElementwiseCall.Dropout c -> dropout(pool, c.mask(), c.x(), c.y(), false);
      case ElementwiseCall.DropoutAdd c -> dropout(pool, c.mask(), c.x(), c.y(), true);
      case ElementwiseCall.AddScalar c -> {
        float a = (float) c.a();
        ThreeRuns.of(
            pool, c.y(), c.y(), c.y(), (same, again, y, n) -> Elementwise.addScalar(a, y, n));
      }
    }
  }

  private static void fill(WorkerPool pool, ElementwiseCall.Fill call) {
    long to = call.y().address();
    float value = (float) call.value();
    Split.elements(
        pool, call.y().length(), (from, end) -> Elementwise.fill(to + 4 * from, end - from, value));
  }

  private static void dropout(WorkerPool pool, DropoutMask mask, Span x, Span y, boolean add) {
    long a = x.address();
    long b = y.address();
    Split.elements(
        pool,
        y.length(),
        (from, to) -> DropoutLoop.run(mask, from, a + 4 * from, b + 4 * from, to - from, add));
  }

  /** Whether {@link #run} has code for a copy of these types. */
  static boolean copies(DType in, DType out) {
    return in == out || out == F32 && narrow(in) || in == F32 && narrow(out);
  }

  private static boolean narrow(DType type) {
    return type == BF16 || type == F16 || type.isQuantised();
  }

  private static void copy(WorkerPool pool, ElementwiseCall.Copy call) {
    long n = call.x().length();
    long x = call.x().address();
    long y = call.y().address();
    DType in = call.x().dtype();
    DType out = call.y().dtype();
    if (in == out) {
      Split.elements(
          pool, in.bytes(n), (from, to) -> Conversions.copyBytes(x + from, y + from, to - from));
    } else if (out == F32) {
      Split.elements(
          pool,
          n,
          (from, to) -> Conversions.widen(in, x + in.bytes(from), y + 4 * from, to - from));
    } else {
      Split.elements(
          pool,
          n,
          (from, to) -> Conversions.narrow(out, x + 4 * from, y + out.bytes(from), to - from));
    }
  }
}
