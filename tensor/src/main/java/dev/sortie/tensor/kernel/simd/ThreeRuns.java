package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.DType.F32;
import static dev.sortie.tensor.kernel.Operands.check;
import static dev.sortie.tensor.kernel.Operands.sameLength;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.memory.Span;

/** A loop over three runs of {@code n} floats at absolute addresses. */
@FunctionalInterface
interface ThreeRuns {
  void run(long x, long y, long z, long n);

  /** Runs {@code loop} over three operands of one length; a kernel of fewer names one twice. */
  static void of(WorkerPool pool, String what, Span x, Span y, Span z, ThreeRuns loop) {
    long n = sameLength(what, x, y);
    sameLength(what, x, z);
    check(what + " x", x, F32, n);
    check(what + " y", y, F32, n);
    check(what + " z", z, F32, n);
    long a = x.address();
    long b = y.address();
    long c = z.address();
    Split.elements(
        pool, n, (from, to) -> loop.run(a + 4 * from, b + 4 * from, c + 4 * from, to - from));
  }
}
