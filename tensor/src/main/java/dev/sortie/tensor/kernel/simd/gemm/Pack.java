package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Copies an F32 operand of a matrix product into panels: panel p holds {@code [kc, width]}, the
 * outer indices {@code p * width ..} of the operand at each k, padded with zeros. The micro-kernel
 * then reads both operands from front to back.
 *
 * <p>Panels are arrays, see {@link MicroKernel8}; {@code dst} is filled from {@code at} on.
 */
final class Pack {
  private static final VectorSpecies<Float> F = Width.F;
  private static final int LANES = Width.LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /**
   * Values of k that {@link #copy} moves panel after panel. Rows of the source are often a multiple
   * of 4 KiB apart and then share one set of an 8-way L1 cache: with more rows the second half of a
   * line is gone before the next panel reads it.
   */
  private static final int COPY_ROWS = 8;

  /** Values of k that {@link #transposeBf16} widens while they are in the L1 cache: 16 KiB. */
  private static final int PAIR_ROWS = 128;

  private Pack() {}

  /**
   * Packs an operand whose outer index is contiguous: element (k, i) at {@code src + k * ld + 4 i}.
   *
   * @param ld bytes from one k to the next
   * @param count number of outer indices
   * @param kc number of values of k
   * @param width outer indices per panel
   */
  static void copy(long src, long ld, int count, int kc, int width, float[] dst, int at) {
    for (int k0 = 0; k0 < kc; k0 += COPY_ROWS) {
      int rows = Math.min(COPY_ROWS, kc - k0);
      for (int i = 0; i < count; i += width) {
        long s = src + k0 * ld + 4L * i;
        int d = at + i * kc + k0 * width;
        if (i + width > count) {
          copyRagged(s, ld, rows, count - i, width, dst, d);
        } else if (width == 2 * LANES) {
          copyPairs(s, ld, rows, dst, d);
        } else if (width == LANES) {
          copySingles(s, ld, rows, dst, d);
        } else if (LANES >= 16 && width == 8 && rows % 2 == 0 && i + 16 <= count) {
          PackEights.run(s, ld, rows, dst, d, d + 8 * kc);
          i += width;
        } else {
          copyRagged(s, ld, rows, width, width, dst, d);
        }
      }
    }
  }

  private static void copyPairs(long src, long ld, int rows, float[] dst, int at) {
    for (int k = 0; k < rows; k++) {
      long s = src + k * ld;
      int d = at + k * 2 * LANES;
      FloatVector.fromMemorySegment(F, MEMORY, s, ORDER).intoArray(dst, d);
      FloatVector.fromMemorySegment(F, MEMORY, s + 4L * LANES, ORDER).intoArray(dst, d + LANES);
    }
  }

  private static void copySingles(long src, long ld, int rows, float[] dst, int at) {
    for (int k = 0; k < rows; k++) {
      FloatVector.fromMemorySegment(F, MEMORY, src + k * ld, ORDER).intoArray(dst, at + k * LANES);
    }
  }

  private static void copyRagged(
      long src, long ld, int rows, int count, int width, float[] dst, int at) {
    for (int k = 0; k < rows; k++) {
      int d = at + k * width;
      for (int i = 0; i < count; i++) {
        dst[d + i] = get(src + k * ld + 4L * i);
      }
      Arrays.fill(dst, d + count, d + width, 0f);
    }
  }

  /**
   * Packs one panel of an operand whose k is contiguous: element (k, i) at {@code src + i * ld + 4
   * k}.
   *
   * @param ld bytes from one outer index to the next
   * @param count number of outer indices, at most {@code width}
   * @param kc number of values of k
   * @param width outer indices per panel
   */
  static void transpose(long src, long ld, int count, int kc, int width, float[] dst, int at) {
    int i = 0;
    if (LANES >= 16 && width == 8 && count == 8) {
      int done = kc & -16;
      PackTranspose8Wide.run(src, ld, dst, at, done);
      transposeScalar(src, ld, 8, done, kc, dst, at, width);
      return;
    }
    if (LANES == 8 && width == 6 && count == 6) {
      int done = Math.max(0, kc - 1) & -8; // the last row must not spill into the next panel
      PackTranspose8.run(src, 6, ld, dst, at, 6, done);
      transposeScalar(src, ld, 6, done, kc, dst, at, width);
      return;
    }
    int done = kc & -LANES;
    for (; i + LANES <= count; i += LANES) {
      transposeBlock(src + i * ld, ld, dst, at + i, width, done);
      transposeScalar(src + i * ld, ld, LANES, done, kc, dst, at + i, width);
    }
    transposeScalar(src + i * ld, ld, count - i, 0, kc, dst, at + i, width);
    for (int k = 0; k < kc; k++) {
      for (int j = count; j < width; j++) {
        dst[at + k * width + j] = 0f;
      }
    }
  }

  /** As many rows as a vector has lanes; no other width, for the reason in {@link PackEights}. */
  private static void transposeBlock(long src, long ld, float[] dst, int at, int width, int count) {
    if (LANES >= 16) {
      PackTranspose16.run(src, ld, dst, at, width, count);
    } else if (LANES == 8) {
      PackTranspose8.run(src, 8, ld, dst, at, width, count);
    } else {
      PackTranspose4.run(src, ld, dst, at, width, count);
    }
  }

  /**
   * Packs the beginning of a whole panel of BF16 elements, widened; otherwise as {@link
   * #transpose}. Two neighbours in a row are transposed as one element of four bytes, into every
   * other row of the panel, and then widened in place. Both in one method were too much for C1, and
   * C2 left objects.
   *
   * @return values of k that were packed: as many as whole blocks have
   */
  static int transposeBf16(long src, long ld, int kc, int width, float[] dst, int at) {
    int done = kc & -2 * LANES;
    for (int k = 0; k < done; k += PAIR_ROWS) {
      int rows = Math.min(PAIR_ROWS, done - k);
      int to = at + k * width;
      for (int i = 0; i < width; i += LANES) {
        transposeBlock(src + i * ld + 2L * k, ld, dst, to + i, 2 * width, rows / 2);
      }
      PackWiden.pairs(dst, to, width, rows);
    }
    return done;
  }

  private static void transposeScalar(
      long src, long ld, int count, int from, int kc, float[] dst, int at, int width) {
    for (int i = 0; i < count; i++) {
      for (int k = from; k < kc; k++) {
        dst[at + k * width + i] = get(src + i * ld + 4L * k);
      }
    }
  }
}
