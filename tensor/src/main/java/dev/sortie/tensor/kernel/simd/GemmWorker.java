package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;

/** One thread's part of a {@link Gemm}: what it packs and which tiles it computes. */
final class GemmWorker {
  private static final int MR = Gemm.MR;
  private static final int NR = Gemm.NR;

  /** Values of k that are widened at a time, so that they are still in L1 when they are packed. */
  private static final int WIDEN = 128;

  /** Scratch of a thread: a tile, or widened rows of B. */
  static final long SCRATCH_BYTES = 4L * NR * Math.max(MR, WIDEN);

  private final Gemm.Product p;
  private final int kcMax;
  private final GemmBuffers buffers;
  private final GemmBarrier barrier;
  private final int thread;
  private final int threads;
  private final long scratch;

  /** The part {@code thread} of {@code threads}; {@code kcMax} is the size of a block of K. */
  GemmWorker(
      Gemm.Product p,
      int kcMax,
      GemmBuffers buffers,
      GemmBarrier barrier,
      int thread,
      int threads) {
    this.p = p;
    this.kcMax = kcMax;
    this.buffers = buffers;
    this.barrier = barrier;
    this.thread = thread;
    this.threads = threads;
    this.scratch = buffers.scratch(thread);
  }

  void run() {
    int aRound = 0;
    int bRound = 0;
    for (int jc = 0; jc < p.n(); jc += Gemm.NC) {
      int columns = Math.min(Gemm.NC, p.n() - jc);
      int pc = 0;
      do { // once even for k = 0, when the product is zero
        int kc = Math.min(kcMax, p.k() - pc);
        float[] b = buffers.b(threads == 1 ? 0 : bRound++ & 1);
        packB(pc, kc, jc, columns, b);
        for (int ia = 0; ia < p.m(); ia += Gemm.MA) {
          int rows = Math.min(Gemm.MA, p.m() - ia);
          float[] a = buffers.a(threads == 1 ? 0 : aRound++ & 1);
          packA(pc, kc, ia, rows, a);
          barrier.await(threads);
          compute(pc, kc, ia, rows, jc, columns, a, b);
        }
        pc += kc;
      } while (pc < p.k());
    }
  }

  private void packA(int pc, int kc, int ia, int rows, float[] a) {
    int panels = Gemm.panels(rows, MR);
    int from = part(panels, thread, threads) * MR;
    int to = Math.min(rows, part(panels, thread + 1, threads) * MR);
    if (p.transA()) {
      Pack.copy(
          p.a() + 4L * ((long) pc * p.m() + ia + from),
          4L * p.m(),
          to - from,
          kc,
          MR,
          a,
          from * kc);
      return;
    }
    for (int i = from; i < to; i += MR) {
      Pack.transpose(
          p.a() + 4L * ((long) (ia + i) * p.k() + pc),
          4L * p.k(),
          Math.min(MR, to - i),
          kc,
          MR,
          a,
          i * kc);
    }
  }

  private void packB(int pc, int kc, int jc, int columns, float[] b) {
    int panels = Gemm.panels(columns, NR);
    int from = part(panels, thread, threads) * NR;
    int to = Math.min(columns, part(panels, thread + 1, threads) * NR);
    int size = p.bType().bytes();
    if (!p.transB()) {
      long src = p.b() + size * ((long) pc * p.n() + jc + from);
      if (p.bType() == DType.F32) {
        Pack.copy(src, 4L * p.n(), to - from, kc, NR, b, from * kc);
      } else {
        widenAndCopy(src, kc, to - from, b, from * kc);
      }
      return;
    }
    for (int j = from; j < to; j += NR) {
      long src = p.b() + size * ((long) (jc + j) * p.k() + pc);
      int count = Math.min(NR, to - j);
      if (p.bType() == DType.F32) {
        Pack.transpose(src, 4L * p.k(), count, kc, NR, b, j * kc);
      } else {
        widenAndTranspose(src, kc, count, b, j * kc);
      }
    }
  }

  private void widenAndCopy(long src, int kc, int count, float[] dst, int at) {
    int size = p.bType().bytes();
    for (int k = 0; k < kc; k += WIDEN) {
      int rows = Math.min(WIDEN, kc - k);
      for (int j = 0; j < count; j += NR) {
        int width = Math.min(NR, count - j);
        for (int i = 0; i < rows; i++) {
          long from = src + size * ((long) (k + i) * p.n() + j);
          PackWiden.run(p.bType(), from, width, scratch + 4L * NR * i);
        }
        Pack.copy(scratch, 4L * NR, width, rows, NR, dst, at + j * kc + k * NR);
      }
    }
  }

  private void widenAndTranspose(long src, int kc, int count, float[] dst, int at) {
    for (int k = 0; k < kc; k += WIDEN) {
      int run = Math.min(WIDEN, kc - k);
      for (int j = 0; j < count; j++) {
        PackWiden.run(
            p.bType(),
            src + p.bType().bytes() * ((long) j * p.k() + k),
            run,
            scratch + 4L * WIDEN * j);
      }
      Pack.transpose(scratch, 4L * WIDEN, count, run, NR, dst, at + k * NR);
    }
  }

  private void compute(
      int pc, int kc, int ia, int rows, int jc, int columns, float[] a, float[] b) {
    int rowPanels = Gemm.panels(rows, MR);
    int columnPanels = Gemm.panels(columns, NR);
    int gridColumns = gridColumns(rowPanels, columnPanels, threads);
    int gridRows = threads / gridColumns;
    if (thread >= gridColumns * gridRows) {
      return; // a prime number of threads, say: the rest only packs
    }
    int x = thread % gridColumns;
    int y = thread / gridColumns;
    int rowFrom = part(rowPanels, y, gridRows) * MR;
    int rowTo = Math.min(rows, part(rowPanels, y + 1, gridRows) * MR);
    int columnFrom = part(columnPanels, x, gridColumns) * NR;
    int columnTo = Math.min(columns, part(columnPanels, x + 1, gridColumns) * NR);
    boolean add = p.accumulate();
    if (p.bias() != 0 && pc == 0) {
      fillBias(ia + rowFrom, ia + rowTo, jc + columnFrom, jc + columnTo);
    }
    add |= pc > 0 || p.bias() != 0;
    long ldc = 4L * p.n();
    for (int ic = rowFrom; ic < rowTo; ic += Gemm.MC) {
      int last = Math.min(rowTo, ic + Gemm.MC);
      for (int j = columnFrom; j < columnTo; j += NR) {
        int width = Math.min(NR, columnTo - j);
        for (int i = ic; i < last; i += MR) {
          long c = p.c() + 4L * ((long) (ia + i) * p.n() + jc + j);
          int height = Math.min(MR, last - i);
          if (height == MR && width == NR && !add) {
            tile(kc, a, i * kc, b, j * kc, c, ldc);
          } else {
            tile(kc, a, i * kc, b, j * kc, scratch, 4L * NR);
            moveTile(height, width, c, ldc, add);
          }
        }
      }
    }
  }

  private static void tile(int kc, float[] a, int ai, float[] b, int bi, long c, long ldc) {
    if (MR == MicroKernel8.ROWS) {
      MicroKernel8.run(kc, a, ai, b, bi, c, ldc);
    } else {
      MicroKernel6.run(kc, a, ai, b, bi, c, ldc);
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

  private void fillBias(int rowFrom, int rowTo, int columnFrom, int columnTo) {
    for (int i = rowFrom; i < rowTo; i++) {
      long c = p.c() + 4L * i * p.n();
      for (int j = columnFrom; j < columnTo; j++) {
        Lanes.set(c + 4L * j, Lanes.get(p.bias() + 4L * j));
      }
    }
  }

  /**
   * Columns of the grid of threads for which the largest rectangle of tiles is smallest; more
   * columns where equal, since A is shared.
   */
  static int gridColumns(int rowPanels, int columnPanels, int threads) {
    int best = 1;
    long least = Long.MAX_VALUE;
    for (int columns = 1; columns <= threads; columns++) {
      long cost =
          (long) Gemm.panels(columnPanels, columns) * Gemm.panels(rowPanels, threads / columns);
      if (cost <= least) {
        least = cost;
        best = columns;
      }
    }
    return best;
  }

  private static int part(int count, int index, int parts) {
    return (int) ((long) count * index / parts);
  }
}
