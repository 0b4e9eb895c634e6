package dev.sortie.tensor.device;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.simd.FmaPeak;
import dev.sortie.tensor.kernel.simd.SimdKernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.function.DoubleSupplier;

/**
 * What this JVM makes of the kernels: enough to see a compiler that does not turn vectors into
 * instructions, too short for a benchmark. Takes half a second where all is well; cold code that
 * stays slow is given {@link #PATIENCE_NANOS} a measurement before it is believed.
 *
 * @param lanes floats in a vector; 1 for the scalar set
 * @param scalar GFLOP/s of fused multiply-adds, one float at a time, on one thread
 * @param vector GFLOP/s of fused multiply-adds on vectors, on one thread; as {@code scalar} for the
 *     scalar set
 * @param gemm GFLOP/s of a matrix product in cache, on one thread
 * @param read GB/s of weights that the product of a matrix and a vector reads, on all threads
 */
public record KernelSpeed(int lanes, double scalar, double vector, double gemm, double read) {
  private static final long PEAK_NANOS = 60_000_000;
  private static final long READ_NANOS = 200_000_000;
  private static final long PATIENCE_NANOS = 2_000_000_000;

  /** Share of the speed to be hoped for that needs no more patience. */
  private static final double GOOD = 0.4;

  /** Rows and columns: small, since interpreted vectors take a microsecond each. */
  private static final int SIZE = 96;

  /** Weights of one product of a matrix and a vector: 64 MiB, which no core's cache holds. */
  private static final int ROWS = 4096;

  private static final int COLS = 4096;
  private static final int WARM_ROWS = 64;

  /** GB/s that any memory gives; slower is cold code. */
  private static final double SLOWEST_READ = 4;

  /** Measures the kernel set that {@link KernelSets#choose} gives, on {@code pool}. */
  public static KernelSpeed measure(WorkerPool pool) {
    try (WorkerPool one = new WorkerPool(1);
        NativeArena arena = new NativeArena("speed of the kernels")) {
      Kernels alone = KernelSets.choose(one);
      boolean simd = alone instanceof SimdKernels;
      int lanes = simd ? FmaPeak.lanes() : 1;
      double scalar = rate(FmaPeak.scalarOperations(), 0, PEAK_NANOS, FmaPeak::scalars);
      double vector =
          simd
              ? rate(
                  FmaPeak.vectorOperations(), GOOD * lanes * scalar, PEAK_NANOS, FmaPeak::vectors)
              : scalar;
      double gemm = gemm(alone, arena, simd ? GOOD * vector : 0);
      return new KernelSpeed(lanes, scalar, vector, gemm, read(KernelSets.choose(pool), arena));
    }
  }

  private static double gemm(Kernels kernels, NativeArena arena, double good) {
    Span a = filled(kernels, arena, (long) SIZE * SIZE);
    Span b = filled(kernels, arena, (long) SIZE * SIZE);
    Span c = filled(kernels, arena, (long) SIZE * SIZE);
    return rate(
        2.0 * SIZE * SIZE * SIZE,
        good,
        PEAK_NANOS,
        sum(c, () -> kernels.gemm(false, false, SIZE, SIZE, SIZE, a, b, c, false)));
  }

  private static double read(Kernels kernels, NativeArena arena) {
    Span x = filled(kernels, arena, COLS);
    Span w = filled(kernels, arena, (long) ROWS * COLS);
    Span y = filled(kernels, arena, ROWS);
    Span few = w.slice(0, (long) WARM_ROWS * COLS);
    Span fewY = y.slice(0, WARM_ROWS);
    rate(
        4.0 * few.length(),
        SLOWEST_READ,
        0,
        sum(y, () -> kernels.linear(x, few, null, fewY, 1, WARM_ROWS, COLS)));
    return rate(
        4.0 * w.length(),
        0,
        READ_NANOS,
        sum(y, () -> kernels.linear(x, w, null, y, 1, ROWS, COLS)));
  }

  private static Span filled(Kernels kernels, NativeArena arena, long length) {
    Span span = arena.allocate(DType.F32, length).span();
    kernels.fill(span, 0.5);
    return span;
  }

  /** A call that ends in a number, so that the compiler cannot leave it out. */
  private static DoubleSupplier sum(Span result, Runnable call) {
    return () -> {
      call.run();
      return result.get(0);
    };
  }

  /** Billions of {@code units} a second of the fastest call; the first ones run cold code. */
  private static double rate(double units, double good, long nanos, DoubleSupplier call) {
    double best = 0;
    double sum = 0;
    long start = System.nanoTime();
    long now = start;
    while (now - start < (best < good ? PATIENCE_NANOS : nanos)) {
      sum += call.getAsDouble();
      long end = System.nanoTime();
      best = Math.max(best, units / Math.max(1, end - now));
      now = end;
    }
    if (Double.isNaN(sum)) {
      throw new IllegalStateException("a kernel gave NaN for finite numbers");
    }
    return best;
  }
}
