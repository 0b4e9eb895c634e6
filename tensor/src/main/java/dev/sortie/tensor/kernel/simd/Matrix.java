package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.PackedWeight;
import dev.sortie.tensor.kernel.Projection;
import dev.sortie.tensor.kernel.simd.gemm.Gemm;
import dev.sortie.tensor.kernel.simd.gemm.GemmBuffers;
import dev.sortie.tensor.kernel.simd.gemm.PackedPanels;
import dev.sortie.tensor.kernel.simd.gemm.RightOperand;
import dev.sortie.tensor.kernel.simd.gemm.VectorMatrix;
import dev.sortie.tensor.kernel.simd.gemv.GemvRows;
import dev.sortie.tensor.kernel.simd.tile.TileProducts;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Sums;
import dev.sortie.tensor.kernel.simd.vector.Trials;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The matrix products of the SIMD kernels: the choice between {@link GemvRows} (few rows, weights
 * read in place), {@link VectorMatrix} (one row, k not contiguous) and {@link Gemm} (packed
 * panels). Several threads may call at once.
 */
final class Matrix {
  /**
   * Multiply-adds, of all rows, below which a thread is not woken: 1 to 3 µs of work on Zen 4. A
   * model of 12 layers of 192 decodes 2,210 tokens a second in BF16 with 2^17, 2,530 with 2^15 and
   * 2,800 with 2^14, in F32 1,350, 1,800 and 1,940 (two threads); with another program on one of
   * the cores, which the pool's taking back of parts makes bearable, 1,500, 1,330 and 1,210.
   */
  private static final long GRAIN = 1L << 15;

  private final WorkerPool pool;
  private final Gemm gemm;
  private final TileProducts tiles;
  private final Trials streams = GemvRows.trials();
  private final GemmBuffers.Stock stock = new GemmBuffers.Stock();

  Matrix(WorkerPool pool) {
    this.pool = pool;
    this.gemm = new Gemm(pool);
    this.tiles = new TileProducts(pool);
  }

  TiledWeight tile(KernelQuery.Tile call) {
    return tiles.tile(call);
  }

  void expectRows(int rows) {
    tiles.expectRows(rows);
  }

  void run(MatrixCall call) {
    switch (call) {
      case MatrixCall.Linear c -> linear(c);
      case MatrixCall.Linears c -> linears(c);
      case MatrixCall.PackedLinear c -> packedLinear(c);
      case MatrixCall.TiledLinears c when c.m() <= Kernels.ROW_STABLE -> tiles.run(c);
      case MatrixCall.TiledLinears c -> tiledPrompt(c);
      case MatrixCall.Gemm c -> gemm(c);
      case MatrixCall.GatherRows c -> Embedding.gather(pool, c);
      case MatrixCall.ScatterAddRows c -> Embedding.scatterAdd(pool, c);
      case MatrixCall.SumRows c -> Sums.rows(pool, c.x(), c.y(), c.rows(), c.cols());
    }
  }

  private void linear(MatrixCall.Linear c) {
    if (c.m() == 0 || c.n() == 0) {
      return;
    }
    if (c.m() > Kernels.ROW_STABLE) {
      gemm.run(
          new Gemm.Product(
              false,
              true,
              c.m(),
              c.n(),
              c.k(),
              c.x().address(),
              c.w().address(),
              new RightOperand.Rows(c.w().dtype()),
              c.y().address(),
              orZero(c.bias()),
              false));
      return;
    }
    GemvRows rows = rows(c.x(), c.w(), c.bias(), c.y(), c.m(), c.n(), c.k());
    pool.range(c.n(), grain(c.m(), c.k()), (from, to) -> runWithScratch(rows, from, to));
  }

  private GemvRows rows(Span x, Span w, Span bias, Span y, int m, int n, int k) {
    return new GemvRows(
        x.address(), w.address(), w.dtype(), orZero(bias), y.address(), m, n, k, streams);
  }

  /** The address of an operand, 0 if it is missing. */
  private static long orZero(Span optional) {
    return optional == null ? 0 : optional.address();
  }

  /** Few rows are one region over the outputs of all weights. */
  private void linears(MatrixCall.Linears c) {
    if (c.m() == 0 || c.m() > Kernels.ROW_STABLE) {
      c.each(this::linear);
      return;
    }
    GemvRows[] all = new GemvRows[c.projections().size()];
    int outputs = 0;
    for (int i = 0; i < all.length; i++) {
      Projection p = c.projections().get(i);
      all[i] = rows(c.x(), p.w(), p.bias(), p.y(), c.m(), p.n(), c.k());
      outputs = Math.addExact(outputs, p.n());
    }
    pool.range(
        outputs,
        grain(c.m(), c.k()),
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

  /** Outputs of {@code m} rows that a thread takes at least. */
  private static int grain(int m, int k) {
    return Split.grain((long) m * k, GRAIN);
  }

  private void packedLinear(MatrixCall.PackedLinear c) {
    PackedWeight w = c.w();
    long padded = (long) Gemm.panels(w.n(), Gemm.NR) * Gemm.NR * w.k();
    w.checkLayout(PackedPanels.LAYOUT, padded, Width.name());
    if (c.m() == 0 || w.n() == 0) {
      return;
    }
    gemm.run(
        new Gemm.Product(
            false,
            true,
            c.m(),
            w.n(),
            w.k(),
            c.x().address(),
            w.values().address(),
            new RightOperand.Panels(),
            c.y().address(),
            orZero(c.bias()),
            false));
  }

  /** Many rows: in the arithmetic that the type of tiles says is faster. */
  private void tiledPrompt(MatrixCall.TiledLinears c) {
    List<TiledProjection> integer = new ArrayList<>(c.projections().size());
    for (TiledProjection p : c.projections()) {
      if (p.w().type().anyRows()) {
        integer.add(p);
      } else {
        tiledGemm(c, p);
      }
    }
    if (!integer.isEmpty()) {
      tiles.run(new MatrixCall.TiledLinears(c.x(), integer, c.m(), c.k()));
    }
  }

  /** Panels are decoded from the tiles and multiplied in F32. */
  private void tiledGemm(MatrixCall.TiledLinears c, TiledProjection p) {
    TileProducts.checkLanes(p.w());
    if (p.w().n() == 0) {
      return;
    }
    gemm.run(
        new Gemm.Product(
            false,
            true,
            c.m(),
            p.w().n(),
            c.k(),
            c.x().address(),
            p.w().values().address(),
            new RightOperand.Tiles(p.w().type()),
            p.y().address(),
            orZero(p.bias()),
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

  private void gemm(MatrixCall.Gemm p) {
    int n = p.n();
    if (p.m() == 0 || n == 0) {
      return;
    }
    if (p.m() == 1 && !p.transB() && p.b().dtype() == DType.F32) {
      VectorMatrix product =
          new VectorMatrix(
              p.a().address(), p.b().address(), p.c().address(), n, p.k(), p.accumulate());
      int vectors = (n + Width.LANES - 1) / Width.LANES;
      pool.range(
          vectors,
          Math.max(1, grain(1, p.k()) / Width.LANES),
          (from, to) ->
              withScratch(VectorMatrix.SCRATCH_BYTES, scratch -> product.run(from, to, scratch)));
      return;
    }
    gemm.run(
        new Gemm.Product(
            p.transA(),
            p.transB(),
            p.m(),
            n,
            p.k(),
            p.a().address(),
            p.b().address(),
            new RightOperand.Rows(p.b().dtype()),
            p.c().address(),
            0,
            p.accumulate()));
  }
}
