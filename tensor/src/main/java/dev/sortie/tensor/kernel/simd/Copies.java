package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.BF16;
import static dev.sortie.tensor.DType.F16;
import static dev.sortie.tensor.DType.F32;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.ElementwiseCall;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;

/** Fills and copies of contiguous runs, also from type to type, shared among the threads. */
final class Copies {
  private Copies() {}

  static void fill(WorkerPool pool, ElementwiseCall.Fill call) {
    long to = call.y().address();
    float value = (float) call.value();
    Split.elements(
        pool, call.y().length(), (from, end) -> Elementwise.fill(to + 4 * from, end - from, value));
  }

  /** Whether {@link #run} has code for the types of a call. */
  static boolean supports(ElementwiseCall.Copy call) {
    DType in = call.x().dtype();
    DType out = call.y().dtype();
    return in == out || out == F32 && narrow(in) || in == F32 && narrow(out);
  }

  private static boolean narrow(DType type) {
    return type == BF16 || type == F16 || type.isQuantised();
  }

  static void run(WorkerPool pool, ElementwiseCall.Copy call) {
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
