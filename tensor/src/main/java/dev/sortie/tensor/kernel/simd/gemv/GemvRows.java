package dev.sortie.tensor.kernel.simd.gemv;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.convert.Dequantise;
import dev.sortie.tensor.kernel.simd.vector.Trials;
import dev.sortie.tensor.kernel.simd.vector.Width;

/**
 * A product of few rows of x with weights read in place: {@code y[i,j] = x[i,:] · w[j,:] +
 * bias[j]}. Walks blocks of weight rows; for each, passes of one to four rows of x run through
 * {@link RowKernels} while the block stays in cache, and {@link GemvSums} adds up what they leave.
 * Weights without kernels of their own are decoded to F32 block by block.
 *
 * @param bias address, or 0 for none
 * @param streams whether one row of x is faster with pairs of weight rows
 */
public record GemvRows(
    long x, long w, DType type, long bias, long y, int m, int n, int k, Trials streams) {
  /**
   * Most weight rows per block. Kernels that take two weight rows at a time run through the two
   * halves of a block, and the longer these streams are the better does the processor prefetch
   * them. Zen 4, two threads, four rows of x with 106 M weights of k = 576 in BF16: blocks of 16
   * rows 10.9 ms, 32 rows 9.3, 128 rows 7.8, 256 rows 7.5, 512 rows 7.5.
   */
  private static final int BLOCK = 256;

  /**
   * Weight rows per block with one row of x, which is a single stream anyway. With 256 the sums
   * crowd x out of the L1 cache: 106 M weights in Q8_0 4.6 ms, not 4.2.
   */
  private static final int BLOCK_OF_ONE = 32;

  /**
   * And if kernels take two weight rows at a time: SmolLM2 in BF16 on a Xeon 14.4 ms, with 32 rows
   * 17.7, with 256 16.3.
   */
  private static final int BLOCK_OF_PAIRS = 128;

  /** Outputs of a thread from which on half of them can be computed either way. */
  private static final int LEAST_TRIED = 64;

  /** Bytes of a block that several passes read: it has to stay in an L2 cache of 512 KiB. */
  private static final long BLOCK_BYTES = 384 << 10;

  /** Weight rows that are decoded at a time. */
  private static final int DECODED_BLOCK = 32;

  private static final int MAX_ROWS = 4;

  /**
   * Bytes of rows of x that leave weights from memory room in an L1 cache of 32 KiB. Where four
   * rows of x have more and two have not, two rows read each block of weights, and the others find
   * it in the L2 cache. Zen 4, two threads, 106 M weights in BF16, four and eight rows of x: k =
   * 1536 9.5 and 12.6 ms, not 10.7 and 14.7; k = 2048 9.8 and 13.7, not 11.4 and 15.5; k = 1536
   * with 16 registers of 256 bits 9.9 and 15.4, not 16.0 and 22.1. With k = 4096 it made no
   * difference. Not for weights in blocks, which are bound by arithmetic: Q4_1 9.1 ms, not 7.1.
   */
  private static final long X_BYTES = 20 << 10;

  private static final int LANES = Width.LANES;

  /** Partial sums of a block, and a vector that is read past their end. */
  private static final long SUMS_BYTES = 4L * LANES * (BLOCK + 1);

  /** Bytes of scratch that {@link #run} needs. */
  public long scratchBytes() {
    return SUMS_BYTES + (decodes() ? decodedBytes() : 0);
  }

  private boolean decodes() {
    return RowKernels.decodesFirst(type, m);
  }

  private long decodedBytes() {
    return 4L * DECODED_BLOCK * k;
  }

  /** Weight rows per block; an even number, for the kernels that take two. */
  private int block(long rowBytes, boolean pairs) {
    if (decodes()) {
      return DECODED_BLOCK;
    }
    if (m == 1) {
      return pairs ? BLOCK_OF_PAIRS : BLOCK_OF_ONE;
    }
    if (m <= firstRows()) {
      return BLOCK;
    }
    return Math.clamp(BLOCK_BYTES / Math.max(1, rowBytes) & ~1L, 16, BLOCK);
  }

  /** No trials yet of all types and sizes; nothing is tried before 1 GB of a kind was read. */
  public static Trials trials() {
    return new Trials(DType.values().length * Long.SIZE, 1L << 30);
  }

  /** Computes outputs {@code [from, to)} of all rows. */
  public void run(int from, int to, long scratch) {
    RowKernels kernels = RowKernels.of(type, m);
    if (m > 1 || decodes() || kernels.onePairs() == null) {
      run(kernels, from, to, scratch, false);
      return;
    }
    long rowBytes = type.bytes(k);
    streams
        .of(type.ordinal() * Long.SIZE + Trials.digits(rowBytes))
        .run(
            (begin, end, pairs) -> run(kernels, begin, end, scratch, pairs),
            from,
            to,
            rowBytes,
            LEAST_TRIED);
  }

  private void run(RowKernels kernels, int from, int to, long scratch, boolean pairs) {
    long rowBytes = type.bytes(k);
    boolean decodes = decodes();
    long decoded = scratch + SUMS_BYTES;
    int block = block(rowBytes, pairs);
    for (int j = from; j < to; j += block) {
      int count = Math.min(block, to - j);
      long weights = w + rowBytes * j;
      if (decodes) {
        for (int r = 0; r < count; r++) {
          Dequantise.run(type, weights + rowBytes * r, 0, k, decoded + 4L * k * r);
        }
        weights = decoded;
      }
      int rows = firstRows();
      for (int i = 0; i < m; i += rows, rows = Math.min(m - i, MAX_ROWS)) {
        kernels
            .forRows(rows, pairs)
            .run(x + 4L * i * k, weights, decodes ? 4L * k : rowBytes, scratch, count, k);
        finish(i, rows, j, count, weights, scratch);
      }
    }
  }

  /** Rows of x in the pass that reads a block from memory. */
  private int firstRows() {
    long two = 2L * 4 * k;
    boolean crowded = !type.isQuantised() && two <= X_BYTES && 2 * two > X_BYTES;
    return Math.min(m, m > 3 && crowded ? 2 : MAX_ROWS);
  }

  /**
   * From partial sums to outputs {@code [j, j + count)} of rows {@code [i, i + rows)}. Sums of
   * three rows lie as those of four.
   */
  private void finish(int i, int rows, int j, int count, long weights, long sums) {
    int each = rows == 3 ? MAX_ROWS : rows;
    GemvSums.addLanes(sums, count, each);
    if (k % LANES != 0) {
      for (int r = 0; r < rows; r++) {
        GemvSums.addTail(type, x + 4L * (i + r) * k, weights, sums + 4L * r, each, count, k);
      }
    }
    long out = y + 4L * ((long) i * n + j);
    GemvSums.store(sums, each, rows, out, 4L * n, count);
    if (bias != 0) {
      for (int r = 0; r < rows; r++) {
        GemvSums.addBias(out + 4L * n * r, bias + 4L * j, count);
      }
    }
  }
}
