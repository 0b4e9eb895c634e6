package dev.sortie.tensor.kernel.simd.gemm;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.lang.ref.Reference;

/**
 * The blocked matrix product (Goto and van de Geijn, "Anatomy of high-performance matrix
 * multiplication", 2008).
 *
 * <p>Each thread computes a rectangle of the result by itself, see {@link GemmWorker}: it packs
 * what it reads of both operands, and meets no other thread before the end. With packed operands
 * shared and a barrier for each block of K, two threads made 163 to 185 GFLOP/s of the product 2048
 * x 256 x 4096, and 190 to 200 so (Zen 4): one waits when the other is held up, and reads half of
 * its operands out of the other's cache. The price, packing one operand twice, is below 1.5 % from
 * 512 x 576 on.
 *
 * <p>Each output sums k in ascending order with fma inside a block, and adds the blocks in order.
 * The blocks of K depend on k alone; so neither tile size, width, threads nor the split of M and N
 * change a bit of the result.
 */
public final class Gemm {
  private static final int LANES = Width.LANES;

  /** Rows of a tile, the same for both micro-kernels. */
  static final int MR = MicroKernel4.ROWS;

  /**
   * Columns of a tile, and of a panel of B. With four vectors 24 of 32 registers hold sums, and six
   * broadcasts and four loads feed 24 multiply-adds; tiles of 8 rows by two vectors loaded as much
   * for 16. One thread of a Xeon, k = 576: 114 GFLOP/s of 120, instead of 95. 9 rows by three made
   * 117, but a width of 48 does not divide the sizes of most models.
   */
  public static final int NR =
      (Width.MANY_REGISTERS ? MicroKernel4.VECTORS : MicroKernel2.VECTORS) * LANES;

  /**
   * Longest block of K: a panel of A is 12 KiB and stays in an L1 cache. Zen 4, one thread, tiles
   * of 8 by 32, 1024³: 107 GFLOP/s of 118; 384, 768 and 1024 were no faster. Changing it changes
   * bits, so it is the same for all widths.
   */
  private static final int KC = 512;

  /**
   * Rows of A that a thread runs through for each panel of B: 512 KiB, half the L2 cache of Zen 4.
   */
  static final int MC = 256 / MR * MR;

  /** Rows of A that a thread packs at a time; for the next ones it packs B again. */
  static final int MA = 1024 / MR * MR;

  /**
   * Columns of B that a thread packs at a time: 256 KiB, which stay in the L2 cache with A, and
   * rows of B are read in runs of 512 bytes where k is not contiguous.
   */
  static final int GROUP = 8 * LANES;

  /**
   * Elements of A that a thread packs at a time, 2 MiB. With 4 to 16 MiB two threads lost 5 % of
   * 2048 x 256 x 4096; with 512 KiB, and B packed four times as often, 5 % of most shapes.
   */
  private static final int A_SIZE = 1 << 19;

  /**
   * Multiply-adds below which one thread computes alone: some 5 µs, what waking and meeting cost.
   */
  private static final long SMALL = 1L << 18;

  /**
   * One product; addresses are absolute. {@code c = op(a) · op(b)}, see {@link
   * dev.sortie.tensor.kernel.Kernels#gemm}.
   *
   * @param right how b lies there
   * @param bias address of {@code [n]}, added to each row; 0 for none
   */
  public record Product(
      boolean transA,
      boolean transB,
      int m,
      int n,
      int k,
      long a,
      long b,
      RightOperand right,
      long c,
      long bias,
      boolean accumulate) {

    /** Whether b is panels already. */
    boolean packed() {
      return right instanceof RightOperand.Panels;
    }

    /** Elements of a block of K but the last. */
    int blockOfK() {
      return Gemm.blockOfK(k);
    }

    /** Elements of K for which a thread packs {@code rows} of A at a time: some blocks. */
    int groupOfK(int rows) {
      int block = blockOfK();
      return Math.max(1, A_SIZE / Math.max(1, panels(rows, MR) * MR * block)) * block;
    }

    /**
     * Elements that a thread's rows of A take, packed, at a time, at most. Not what the most rows
     * take: of fewer rows, such as the last ones, more blocks of K are packed at once, and with
     * room for 1024 rows of k = 576 alone the last 768 of 1792 did not fit.
     */
    int mostPackedA() {
      int rows = panels(Math.min(m, MA), MR) * MR;
      return (int) Math.min((long) rows * k, Math.max(A_SIZE, rows * blockOfK()));
    }
  }

  private final WorkerPool pool;
  private final GemmBuffers.Stock stock = new GemmBuffers.Stock();

  public Gemm(WorkerPool pool) {
    this.pool = pool;
  }

  /** Computes {@code p}. The caller has checked sizes and addresses. */
  public void run(Product p) {
    int threads = (long) p.m * p.n * p.k < SMALL ? 1 : pool.threads();
    GemmBuffers buffers = stock.take();
    try {
      buffers.reserve(
          threads,
          p.mostPackedA(),
          GemmWorker.SCRATCH_BYTES + (p.packed() ? 0 : 4L * p.blockOfK() * GROUP));
      if (threads == 1) {
        new GemmWorker(p, buffers, 0, 1).run();
        return;
      }
      pool.range(
          threads,
          1,
          (from, to) -> {
            boolean inline = to - from == threads; // a region inside a region runs on one thread
            new GemmWorker(p, buffers, inline ? 0 : from, inline ? 1 : threads).run();
          });
    } finally {
      stock.give(buffers);
      Reference.reachabilityFence(buffers);
    }
  }

  /**
   * Elements of a block of K but the last: equal blocks of at most {@link #KC}, rounded up to whole
   * blocks of the quantised types that k admits, for those are decoded whole.
   */
  static int blockOfK(int k) {
    int unit = k % 256 == 0 ? 256 : k % 32 == 0 ? 32 : 16;
    int blocks = Math.max(1, panels(k, KC));
    return Math.min(k, panels(panels(k, blocks), unit) * unit);
  }

  /** Panels of {@code width} that {@code count} needs. */
  public static int panels(int count, int width) {
    return (count + width - 1) / width;
  }
}
