package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;

/**
 * A product of few rows of x with weights read in place: {@code y[i,j] = x[i,:] · w[j,:] +
 * bias[j]}. Walks blocks of weight rows; for each, passes of four, two and one rows of x run
 * through {@link RowKernels} while the block stays in cache, and {@link GemvSums} adds up what they
 * leave.
 *
 * @param bias address, or 0 for none
 */
record GemvRows(long x, long w, DType type, long bias, long y, int m, int n, int k) {
  /** Most weight rows a block. */
  private static final int BLOCK = 32;

  private static final int MAX_ROWS = 4;
  private static final int LANES = Width.LANES;

  /** Partial sums of a block, and a vector that is read past their end. */
  private static final long SUMS_BYTES = 4L * LANES * (BLOCK * MAX_ROWS + 1);

  /** Bytes of scratch that {@link #run} needs. */
  long scratchBytes() {
    return SUMS_BYTES + (RowKernels.decodesFirst(type, m) ? 4L * BLOCK * k : 0);
  }

  /** Computes outputs {@code [from, to)} of all rows. */
  void run(int from, int to, long scratch) {
    long rowBytes = type.bytes(k);
    boolean decodes = RowKernels.decodesFirst(type, m);
    RowKernels kernels = RowKernels.of(type, m);
    for (int j = from; j < to; j += BLOCK) {
      int count = Math.min(BLOCK, to - j);
      long block = w + rowBytes * j;
      long blockBytes = rowBytes;
      if (decodes) {
        block = scratch + SUMS_BYTES;
        blockBytes = 4L * k;
        for (int r = 0; r < count; r++) {
          PackQuant.run(type, w + rowBytes * (j + r), 0, k, block + blockBytes * r);
        }
      }
      for (int i = 0; i < m; ) {
        int rows = m - i >= 4 ? 4 : m - i >= 2 ? 2 : 1;
        kernels.forRows(rows).run(x + 4L * i * k, block, blockBytes, scratch, count, k);
        finish(i, rows, j, count, block, scratch);
        i += rows;
      }
    }
  }

  /** From partial sums to outputs {@code [j, j + count)} of rows {@code [i, i + rows)}. */
  private void finish(int i, int rows, int j, int count, long block, long sums) {
    GemvSums.addLanes(sums, rows * count);
    for (int r = 0; r < rows; r++) {
      if (k % LANES != 0) {
        GemvSums.addTail(type, x + 4L * (i + r) * k, block, sums + 4L * r, rows, count, k);
      }
      long out = y + 4L * ((long) (i + r) * n + j);
      GemvSums.store(sums + 4L * r, rows, bias == 0 ? 0 : bias + 4L * j, out, count);
    }
  }
}
