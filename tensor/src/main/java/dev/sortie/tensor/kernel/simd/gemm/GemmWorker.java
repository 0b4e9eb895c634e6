package dev.sortie.tensor.kernel.simd.gemm;

import dev.sortie.tensor.kernel.simd.vector.Width;

/**
 * One thread's rectangle of a {@link Gemm}. A is packed first, up to 1024 rows and 2 MiB; then, for
 * each group of panels of columns and each block of K, B is packed and all rows pass by. So B goes
 * to the tiles through the L2 cache, and the columns of C stay there from block to block.
 */
final class GemmWorker {
  private static final int MR = Gemm.MR;
  private static final int NR = Gemm.NR;
  private static final long TILE_BYTES = 4L * NR * MR;

  /** Scratch of a thread: a tile, and decoded rows of B; then come the packed panels of B. */
  static final long SCRATCH_BYTES = TILE_BYTES + PackRight.SCRATCH_BYTES;

  private final Gemm.Product p;
  private final int block;
  private final GemmGrid grid;
  private final PackRight right;
  private final float[] a;
  private final long b;
  private final long scratch;

  /** The part {@code thread} of {@code threads}. */
  GemmWorker(Gemm.Product p, GemmBuffers buffers, int thread, int threads) {
    this.p = p;
    this.block = p.blockOfK();
    this.grid = GemmGrid.of(p, thread, threads);
    this.a = buffers.a(thread);
    this.scratch = buffers.scratch(thread);
    this.b = scratch + SCRATCH_BYTES;
    this.right = new PackRight(p.transB(), p.n(), p.k(), p.b(), p.right(), scratch + TILE_BYTES);
  }

  void run() {
    for (int i = grid.rowFrom(); i < grid.rowTo(); i += Gemm.MA) {
      int rows = Math.min(Gemm.MA, grid.rowTo() - i);
      int step = p.groupOfK(rows);
      int k = 0;
      do { // once even for k = 0, when the product is zero
        int depth = Math.min(step, p.k() - k);
        packA(k, depth, i, rows);
        compute(k, depth, i, rows);
        k += depth;
      } while (k < p.k());
    }
  }

  /** Block after block of K, in each panel after panel of rows. */
  private void packA(int k, int depth, int i, int rows) {
    int padded = Gemm.panels(rows, MR) * MR;
    for (int d = 0; d < depth; d += block) {
      packA(k + d, Math.min(block, depth - d), i, rows, d * padded);
    }
  }

  private void packA(int pc, int kc, int ia, int rows, int at) {
    if (p.transA()) {
      long src = p.a() + 4 * ((long) pc * p.m() + ia);
      PackLeft.transposed(src, 4L * p.m(), rows, kc, a, at);
      return;
    }
    for (int i = 0; i < rows; i += MR) {
      long src = p.a() + 4 * ((long) (ia + i) * p.k() + pc);
      PackLeft.rows(src, 4L * p.k(), Math.min(MR, rows - i), kc, a, at + i * kc);
    }
  }

  private void compute(int k, int depth, int ia, int rows) {
    int padded = Gemm.panels(rows, MR) * MR;
    for (int j = grid.columnFrom(); j < grid.columnTo(); j += Gemm.GROUP) {
      int to = Math.min(grid.columnTo(), j + Gemm.GROUP);
      int d = 0;
      do {
        int kc = Math.min(block, depth - d);
        if (!p.packed()) {
          right.run(k + d, kc, j, to, b);
        }
        for (int i = 0; i < rows; i += Gemm.MC) {
          tiles(k + d, kc, ia, i, Math.min(rows, i + Gemm.MC), d * padded, j, to);
        }
        d += kc;
      } while (d < depth);
    }
  }

  /**
   * Rows {@code [from, to)} after row {@code ia} times columns {@code [left, right)}; {@code at} is
   * where the block of K starts in the packed A.
   */
  private void tiles(int pc, int kc, int ia, int from, int to, int at, int left, int right) {
    boolean add = p.accumulate() || pc > 0;
    boolean bias = p.bias() != 0 && pc + kc == p.k();
    long ldc = 4L * p.n();
    for (int j = left; j < right; j += NR) {
      int width = Math.min(NR, right - j);
      for (int i = from; i < to; i += MR) {
        int height = Math.min(MR, to - i);
        long c = p.c() + 4 * ((long) (ia + i) * p.n() + j);
        if (height == MR && width == NR && !add) {
          tile(pc, kc, at + i * kc, j, left, c, ldc);
        } else {
          tile(pc, kc, at + i * kc, j, left, scratch, 4L * NR);
          moveTile(height, width, c, ldc, add);
        }
        if (bias) {
          MicroTile.addBias(p.bias() + 4L * j, height, width, c, ldc);
        }
      }
    }
  }

  private void tile(int pc, int kc, int ai, int j, int left, long c, long ldc) {
    long panel =
        p.packed() ? PackedPanels.address(p.b(), p.k(), j / NR, pc) : b + 4L * (j - left) * kc;
    if (Width.MANY_REGISTERS) {
      MicroKernel4.run(kc, a, ai, panel, c, ldc);
    } else {
      MicroKernel2.run(kc, a, ai, panel, c, ldc);
    }
  }

  private void moveTile(int height, int width, long c, long ldc, boolean add) {
    if (!add) {
      MicroTile.copyEdge(scratch, height, width, c, ldc);
    } else if (height == MR && width == NR) {
      MicroTile.add(scratch, c, ldc);
    } else {
      MicroTile.addEdge(scratch, height, width, c, ldc);
    }
  }
}
