package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.memory.Span;

/** A loop over three runs of {@code n} floats at absolute addresses. */
@FunctionalInterface
interface ThreeRuns {
  void run(long x, long y, long z, long n);

  /** Runs {@code loop} over three operands of one length; a kernel of fewer names one twice. */
  static void of(WorkerPool pool, Span x, Span y, Span z, ThreeRuns loop) {
    long n = x.length();
    long a = x.address();
    long b = y.address();
    long c = z.address();
    Split.elements(
        pool, n, (from, to) -> loop.run(a + 4 * from, b + 4 * from, c + 4 * from, to - from));
  }
}
