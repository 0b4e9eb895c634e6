package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;

/**
 * A product of few rows of x with weights read in place: {@code y[i,j] = x[i,:] · w[j,:] +
 * bias[j]}, block by block of weight rows, which stay in cache while all rows of x pass. Weights of
 * 16 bits are widened block by block to a scratch; BF16 with one row of x (decoding) is widened in
 * registers. Both give the same bits. F16 in registers makes 7 GB/s instead of 12 (1024 x 192, Zen
 * 4): so many steps are not inlined.
 *
 * @param bias address, or 0 for none
 */
record GemvRows(long x, long w, DType type, long bias, long y, int m, int n, int k) {
  /**
   * Weight rows a block. As many as 16 KiB of widened weights hold was no faster at k = 576 with m
   * = 2 and slower with m = 16.
   */
  private static final int BLOCK = 32;

  private static final int MAX_ROWS = 4;
  private static final int LANES = Width.F.length();

  /** Partial sums of a block, and a vector that is read past their end. */
  private static final long SUMS_BYTES = 4L * LANES * (BLOCK * MAX_ROWS + 1);

  /** Bytes of scratch that {@link #run} needs. */
  long scratchBytes() {
    return SUMS_BYTES + (widens() ? 4L * BLOCK * k : 0);
  }

  private boolean widens() {
    return type == DType.F16 || type == DType.BF16 && m > 1;
  }

  /** Computes outputs {@code [from, to)} of all rows. */
  void run(int from, int to, long scratch) {
    long widened = scratch + SUMS_BYTES;
    for (int j = from; j < to; j += BLOCK) {
      int count = Math.min(BLOCK, to - j);
      long rows = w + (long) type.bytes() * j * k;
      if (widens()) {
        PackWiden.run(type, rows, count * k, widened);
        block(j, count, widened, DType.F32, scratch);
      } else {
        block(j, count, rows, type, scratch);
      }
    }
  }

  private void block(int j, int count, long weights, DType weightType, long sums) {
    int done = 0;
    while (done < m) {
      long from = x + 4L * done * k;
      int rows = Math.min(m - done, Gemm.MANY_REGISTERS ? MAX_ROWS : 2);
      if (weightType == DType.BF16) {
        GemvBf16.one(from, weights, sums, count, k);
      } else if (rows == 4) {
        Gemv.four(from, weights, sums, count, k);
      } else if (rows >= 2) {
        rows = 2;
        Gemv.two(from, weights, sums, count, k);
      } else {
        Gemv.one(from, weights, sums, count, k);
      }
      GemvSums.addLanes(sums, rows * count);
      for (int i = 0; i < rows; i++) {
        long rowSums = sums + 4L * i * count;
        if (k % LANES != 0) {
          GemvSums.addTail(weightType, from + 4L * i * k, weights, rowSums, count, k);
        }
        GemvSums.store(
            rowSums, bias == 0 ? 0 : bias + 4L * j, y + 4L * ((long) (done + i) * n + j), count);
      }
      done += rows;
    }
  }
}
