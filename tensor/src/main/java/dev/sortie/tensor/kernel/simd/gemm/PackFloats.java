package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Packs elements of the right operand of a matrix product that are F32, or BF16 on their way, into
 * panels {@code [kc, NR]}, padded with zeros. The micro-kernel then reads them from front to back.
 */
final class PackFloats {
  private static final VectorSpecies<Float> F = Width.F;
  private static final int LANES = Width.LANES;
  private static final long VECTOR = 4L * LANES;
  private static final int NR = Gemm.NR;
  private static final long ROW = 4L * NR;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /**
   * Values of k that are copied panel after panel. Rows of the source are often a multiple of 4 KiB
   * apart and then share one set of an 8-way L1 cache: with more rows the second half of a line is
   * gone before the next panel reads it.
   */
  static final int COPY_ROWS = 8;

  /** Values of k that {@link #transposeBf16} widens while they are in the L1 cache. */
  private static final int PAIR_ROWS = 128;

  private PackFloats() {}

  /**
   * Packs columns that are contiguous: element (k, j) at {@code src + k * ld + 4 j}.
   *
   * @param ld bytes from one k to the next
   * @param count number of columns
   * @param kc number of values of k
   */
  static void copy(long src, long ld, int count, int kc, long dst) {
    for (int k0 = 0; k0 < kc; k0 += COPY_ROWS) {
      int depth = Math.min(COPY_ROWS, kc - k0);
      for (int j = 0; j < count; j += NR) {
        long from = src + k0 * ld + 4L * j;
        long to = dst + 4L * j * kc + k0 * ROW;
        if (j + NR <= count) {
          copyPanel(from, ld, depth, to);
        } else {
          copyEdge(from, ld, depth, count - j, to);
        }
      }
    }
  }

  private static void copyPanel(long src, long ld, int depth, long dst) {
    for (int k = 0; k < depth; k++) {
      long from = src + k * ld;
      long to = dst + k * ROW;
      for (long v = 0; v < ROW; v += VECTOR) {
        FloatVector.fromMemorySegment(F, MEMORY, from + v, ORDER)
            .intoMemorySegment(MEMORY, to + v, ORDER);
      }
    }
  }

  private static void copyEdge(long src, long ld, int depth, int count, long dst) {
    for (int k = 0; k < depth; k++) {
      for (int j = 0; j < count; j++) {
        set(dst + k * ROW + 4L * j, get(src + k * ld + 4L * j));
      }
    }
    clear(dst, depth, count);
  }

  /**
   * Packs one panel of columns whose k is contiguous: element (k, j) at {@code src + j * ld + 4 k}.
   *
   * @param ld bytes from one column to the next
   * @param count number of columns, at most {@code NR}
   * @param kc number of values of k
   */
  static void transpose(long src, long ld, int count, int kc, long dst) {
    int full = count & -LANES;
    int done = kc & -LANES;
    for (int j = 0; j < full; j += LANES) {
      transposeBlock(src + j * ld, ld, dst + 4L * j, ROW, done);
    }
    transposeEdge(src, ld, 0, full, done, kc, dst);
    transposeEdge(src, ld, full, count, 0, kc, dst);
    clear(dst, kc, count);
  }

  /** As many columns as a vector has lanes. */
  private static void transposeBlock(long src, long lds, long dst, long ldd, int count) {
    if (LANES >= 16) {
      PackTranspose16.run(src, lds, dst, ldd, count);
    } else if (LANES == 8) {
      PackTranspose8.run(src, lds, dst, ldd, count);
    } else {
      PackTranspose4.run(src, lds, dst, ldd, count);
    }
  }

  /** Columns {@code [left, right)} from k = {@code from} on. */
  private static void transposeEdge(
      long src, long ld, int left, int right, int from, int kc, long dst) {
    for (int j = left; j < right; j++) {
      for (int k = from; k < kc; k++) {
        set(dst + k * ROW + 4L * j, get(src + j * ld + 4L * k));
      }
    }
  }

  /** Zeros in the columns from {@code count} on. */
  static void clear(long dst, int kc, int count) {
    for (int k = 0; k < kc; k++) {
      for (int j = count; j < NR; j++) {
        set(dst + k * ROW + 4L * j, 0f);
      }
    }
  }

  /**
   * Packs the beginning of a whole panel of BF16 elements, widened; otherwise as {@link
   * #transpose}. Two neighbours in a column are transposed as one element of four bytes, into every
   * other row of the panel, and then widened in place. Both in one method were too much for C1, and
   * C2 left objects.
   *
   * @return values of k that were packed: as many as whole blocks have
   */
  static int transposeBf16(long src, long ld, int kc, long dst) {
    int done = kc & -2 * LANES;
    for (int k = 0; k < done; k += PAIR_ROWS) {
      int depth = Math.min(PAIR_ROWS, done - k);
      long to = dst + k * ROW;
      for (int j = 0; j < NR; j += LANES) {
        transposeBlock(src + j * ld + 2L * k, ld, to + 4L * j, 2 * ROW, depth / 2);
      }
      PackWiden.pairs(to, depth, ROW);
    }
    return done;
  }
}
