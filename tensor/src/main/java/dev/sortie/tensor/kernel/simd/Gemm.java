package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.concurrent.WorkerPool;
import java.lang.ref.Reference;

/**
 * The blocked matrix product (Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication", 2008).
 *
 * <p>K is cut into blocks of at most {@link #KC}, N into chunks of {@link #NC}, M into chunks of
 * {@link #MA}. For each (N chunk, K block, M chunk) all threads pack their share of both operands
 * and meet; then each computes its own rectangle of tiles. Packed operands lie in two buffers used
 * in turn: a thread may pack for the next round while another still computes, so there is one
 * meeting a round.
 *
 * <p>Each output sums k in ascending order with fma inside a block, and adds the blocks in order.
 * The blocks of K depend on k alone; so neither tile size, width, threads nor the split of M and N
 * change a bit of the result.
 */
final class Gemm {
  private static final int LANES = Width.F.length();

  /** Whether the machine has 32 vector registers, not 16. */
  static final boolean MANY_REGISTERS =
      LANES >= 16 || System.getProperty("os.arch").equals("aarch64");

  /** Rows and columns of a tile. */
  static final int MR = MANY_REGISTERS ? MicroKernel8.ROWS : MicroKernel6.ROWS;

  static final int NR = 2 * LANES;

  /**
   * Longest block of K: a panel of A is 16 KiB, half an L1 cache. Zen 4, one thread, 1024³: 107
   * GFLOP/s of 118. Changing it changes bits, so it is the same for all widths.
   */
  static final int KC = 512;

  /**
   * Rows of A that a thread runs through for each panel of B: 512 KiB, half the L2 cache of Zen 4.
   */
  static final int MC = 256 / MR * MR;

  /**
   * Rows of A packed at a time, at most 4 MiB. More than MC, so that threads meet less often: 2048
   * x 1024 x 192 needs one meeting.
   */
  static final int MA = 8 * MC;

  /** Columns of B packed at a time, at most 12 MiB. */
  static final int NC = 6144;

  /**
   * Multiply-adds below which one thread computes alone: some 5 µs, what waking and meeting cost.
   */
  private static final long SMALL = 1L << 18;

  /**
   * One product; addresses are absolute. {@code c = op(a) · op(b)}, see {@link
   * dev.sortie.tensor.kernel.Kernels#gemm}.
   *
   * @param bias address of {@code [n]}, added to each row; 0 for none
   */
  record Product(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      long a,
      long b,
      DType bType,
      long c,
      long bias,
      boolean accumulate) {}

  private final WorkerPool pool;
  private final GemmBuffers.Stock stock = new GemmBuffers.Stock();

  Gemm(WorkerPool pool) {
    this.pool = pool;
  }

  /** Computes {@code p}. The caller has checked sizes and addresses. */
  void run(Product p) {
    int blocks = Math.max(1, panels(p.k, KC));
    int kc = Math.min(p.k, (panels(p.k, blocks) + 15) & -16);
    int threads = (long) p.m * p.n * p.k < SMALL ? 1 : pool.threads();
    GemmBuffers buffers = stock.take();
    try {
      int aSize = kc * panels(Math.min(p.m, MA), MR) * MR;
      int bSize = kc * panels(Math.min(p.n, NC), NR) * NR;
      buffers.reservePanels(threads == 1 ? 1 : 2, aSize, bSize);
      buffers.reserveScratch(threads, GemmWorker.SCRATCH_BYTES);
      GemmBarrier barrier = new GemmBarrier();
      if (threads == 1) {
        new GemmWorker(p, kc, buffers, barrier, 0, 1).run();
        return;
      }
      pool.range(
          threads,
          1,
          (from, to) -> {
            boolean inline = to - from == threads; // a region inside a region runs on one thread
            try {
              new GemmWorker(p, kc, buffers, barrier, inline ? 0 : from, inline ? 1 : threads)
                  .run();
            } catch (Throwable e) {
              barrier.breakAll();
              throw e;
            }
          });
    } finally {
      stock.give(buffers);
      Reference.reachabilityFence(buffers);
    }
  }

  /** Panels of {@code width} that {@code count} needs. */
  static int panels(int count, int width) {
    return (count + width - 1) / width;
  }
}
