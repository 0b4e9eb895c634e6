package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.Operands;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.simd.gemm.Gemm;
import dev.sortie.tensor.kernel.simd.gemm.GemmBuffers;
import dev.sortie.tensor.kernel.simd.gemm.PackedPanels;
import dev.sortie.tensor.kernel.simd.gemm.VectorMatrix;
import dev.sortie.tensor.kernel.simd.gemv.GemvRows;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The matrix products of the SIMD kernels: checks, and the choice between {@link GemvRows} (few
 * rows, weights read in place), {@link VectorMatrix} (one row, k not contiguous) and {@link Gemm}
 * (packed panels). F64 is for gradient checks and goes to the scalar kernels. Several threads may
 * call at once.
 */
final class Matrix {
  /**
   * Multiply-adds below which a thread is not worth waking: some 8 µs of work on Zen 4. With 2^15 a
   * small model (192 × 512) decodes no faster on a quiet machine, and 10 to 50 times slower where
   * other programs hold the cores, since each of its hundred regions a token waits for a turn.
   */
  private static final long GRAIN = 1L << 17;

  private final WorkerPool pool;
  private final Gemm gemm;
  private final GemmBuffers.Stock stock = new GemmBuffers.Stock();
  private final ScalarKernels scalar = new ScalarKernels();

  Matrix(WorkerPool pool) {
    this.pool = pool;
    this.gemm = new Gemm(pool);
  }

  /** See {@link Kernels#linear(Span, Span, Span, Span, int, int, int)}. */
  void linear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    if (x.dtype() == DType.F64) {
      scalar.linear(x, w, bias, y, m, n, k);
      return;
    }
    checkLinear(x, w, bias, y, m, n, k);
    if (m == 0 || n == 0) {
      return;
    }
    long biasAddress = bias == null ? 0 : bias.address();
    if (m > Kernels.ROW_STABLE) {
      gemm.run(
          new Gemm.Product(
              false,
              true,
              m,
              n,
              k,
              x.address(),
              w.address(),
              w.dtype(),
              false,
              y.address(),
              biasAddress,
              false));
      return;
    }
    GemvRows rows =
        new GemvRows(x.address(), w.address(), w.dtype(), biasAddress, y.address(), m, n, k);
    pool.range(n, grain(k), (from, to) -> runWithScratch(rows, from, to));
  }

  /** See {@link Kernels#linears}. Few rows are one region over the outputs of all weights. */
  void linears(Span x, List<Projection> projections, int m, int k) {
    if (m == 0 || m > Kernels.ROW_STABLE) {
      for (Projection p : projections) {
        linear(x, p.w(), p.bias(), p.y(), m, p.n(), k);
      }
      return;
    }
    GemvRows[] all = new GemvRows[projections.size()];
    int outputs = 0;
    for (int i = 0; i < all.length; i++) {
      Projection p = projections.get(i);
      checkLinear(x, p.w(), p.bias(), p.y(), m, p.n(), k);
      long bias = p.bias() == null ? 0 : p.bias().address();
      all[i] =
          new GemvRows(
              x.address(), p.w().address(), p.w().dtype(), bias, p.y().address(), m, p.n(), k);
      outputs = Math.addExact(outputs, p.n());
    }
    pool.range(
        outputs,
        grain(k),
        (from, to) -> {
          int first = 0;
          for (GemvRows rows : all) {
            int begin = Math.max(0, from - first);
            int end = Math.min(rows.n(), to - first);
            if (begin < end) {
              runWithScratch(rows, begin, end);
            }
            first += rows.n();
          }
        });
  }

  private static int grain(int k) {
    return (int) Math.max(1, GRAIN / Math.max(1, k));
  }

  /** See {@link Kernels#pack}. */
  PackedWeight pack(Span w, int n, int k, Allocator memory) {
    check(0, n, k);
    check("w", w, true, n, k);
    Operands.wholeBlocks("matrix product: w", w, k);
    return PackedPanels.pack(pool, w, n, k, memory);
  }

  /** See {@link Kernels#linear(Span, PackedWeight, Span, Span, int)}. */
  void linear(Span x, PackedWeight w, Span bias, Span y, int m) {
    w.checkLayout(PackedPanels.LAYOUT, Width.name());
    int n = w.n();
    int k = w.k();
    check(m, n, k);
    check("x", x, false, m, k);
    check("w", w.values(), false, Gemm.panels(n, Gemm.NR) * Gemm.NR, k);
    check("y", y, false, m, n);
    if (bias != null) {
      check("bias", bias, false, 1, n);
    }
    if (m == 0 || n == 0) {
      return;
    }
    gemm.run(
        new Gemm.Product(
            false,
            true,
            m,
            n,
            k,
            x.address(),
            w.values().address(),
            DType.F32,
            true,
            y.address(),
            bias == null ? 0 : bias.address(),
            false));
  }

  private void runWithScratch(GemvRows rows, int from, int to) {
    withScratch(rows.scratchBytes(), scratch -> rows.run(from, to, scratch));
  }

  private void withScratch(long bytes, LongConsumer body) {
    GemmBuffers buffers = stock.take();
    try {
      buffers.reserveScratch(1, bytes);
      body.accept(buffers.scratch(0));
    } finally {
      stock.give(buffers);
    }
  }

  /** See {@link Kernels#gemm}. */
  void gemm(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      Span a,
      Span b,
      Span c,
      boolean accumulate) {
    if (a.dtype() == DType.F64) {
      scalar.gemm(transA, transB, m, n, k, a, b, c, accumulate);
      return;
    }
    check(m, n, k);
    check("a", a, false, m, k);
    check("b", b, true, k, n);
    Operands.wholeBlocks("matrix product: b", b, transB ? k : n);
    check("c", c, false, m, n);
    if (m == 0 || n == 0) {
      return;
    }
    if (m == 1 && !transB && b.dtype() == DType.F32) {
      VectorMatrix product =
          new VectorMatrix(a.address(), b.address(), c.address(), n, k, accumulate);
      int vectors = (n + Width.LANES - 1) / Width.LANES;
      pool.range(
          vectors,
          Math.max(1, grain(k) / Width.LANES),
          (from, to) ->
              withScratch(VectorMatrix.SCRATCH_BYTES, scratch -> product.run(from, to, scratch)));
      return;
    }
    gemm.run(
        new Gemm.Product(
            transA,
            transB,
            m,
            n,
            k,
            a.address(),
            b.address(),
            b.dtype(),
            false,
            c.address(),
            0,
            accumulate));
  }

  private static void check(int m, int n, int k) {
    if (m < 0 || n < 0 || k < 0) {
      throw new IllegalArgumentException(
          "matrix sizes must not be negative: m " + m + ", n " + n + ", k " + k);
    }
  }

  private static void checkLinear(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    check(m, n, k);
    check("x", x, false, m, k);
    check("w", w, true, n, k);
    Operands.wholeBlocks("matrix product: w", w, k);
    check("y", y, false, m, n);
    if (bias != null) {
      check("bias", bias, false, 1, n);
    }
  }

  private static void check(String name, Span span, boolean weight, int rows, int columns) {
    DType type = span.dtype();
    boolean stored = type == DType.BF16 || type == DType.F16 || type.isQuantised();
    if (type != DType.F32 && !(weight && stored)) {
      throw new IllegalArgumentException(
          "matrix product: "
              + name
              + " is "
              + type
              + ", expected "
              + (weight ? "F32, BF16, F16 or quantised" : "F32")
              + "; convert it with copy");
    }
    if (span.length() < (long) rows * columns) {
      throw new IllegalArgumentException(
          "matrix product: "
              + name
              + " has "
              + span.length()
              + " elements, fewer than "
              + rows
              + " x "
              + columns
              + " = "
              + (long) rows * columns);
    }
  }
}
