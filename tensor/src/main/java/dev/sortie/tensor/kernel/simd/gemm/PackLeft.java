package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * Packs the left operand of a matrix product into panels {@code [kc, 6]}, padded with zeros, from
 * which a micro-kernel reads one element at a time. Panels are arrays, see {@link MicroKernel4};
 * {@code dst} is filled from {@code at} on.
 */
final class PackLeft {
  private static final int MR = Gemm.MR;
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final int LANES = Width.LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorMask<Float> SIX = F.indexInRange(0, MR);

  private static final IntVector LOW = index(i -> i / 2 + i % 2 * LANES);
  private static final IntVector HIGH = index(i -> LANES / 2 + i / 2 + i % 2 * LANES);

  private static final IntVector FIRST0 = first(0);
  private static final IntVector FIRST1 = first(1);
  private static final IntVector FIRST2 = first(2);
  private static final IntVector LAST0 = last(0);
  private static final IntVector LAST1 = last(1);
  private static final IntVector LAST2 = last(2);

  private PackLeft() {}

  private static IntVector index(IntUnaryOperator lane) {
    int[] lanes = new int[LANES];
    for (int i = 0; i < LANES; i++) {
      lanes[i] = lane.applyAsInt(i);
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /** Lanes of a third of half a block from the pairs of rows 0 to 3. */
  private static IntVector first(int third) {
    return index(
        i -> {
          int at = third * LANES + i;
          int row = at % MR;
          return row < 4 ? row / 2 * LANES + at / MR * 2 + row % 2 : i;
        });
  }

  /** The other lanes, from the pairs of rows 4 and 5. */
  private static IntVector last(int third) {
    return index(
        i -> {
          int at = third * LANES + i;
          int row = at % MR;
          return row < 4 ? i : LANES + at / MR * 2 + row % 2;
        });
  }

  /**
   * Packs rows whose k is not contiguous: element (i, k) at {@code src + k * ld + 4 i}.
   *
   * @param ld bytes from one k to the next
   * @param count number of rows
   * @param kc number of values of k
   */
  static void transposed(long src, long ld, int count, int kc, float[] dst, int at) {
    for (int k0 = 0; k0 < kc; k0 += PackFloats.COPY_ROWS) {
      int depth = Math.min(PackFloats.COPY_ROWS, kc - k0);
      for (int i = 0; i < count; i += MR) {
        long from = src + k0 * ld + 4L * i;
        int to = at + i * kc + k0 * MR;
        if (LANES > MR && i + MR <= count) {
          copySix(from, ld, depth, dst, to);
        } else {
          copy(from, ld, Math.min(MR, count - i), depth, dst, to);
        }
      }
    }
  }

  private static void copySix(long src, long ld, int depth, float[] dst, int at) {
    for (int k = 0; k < depth; k++) {
      FloatVector.fromMemorySegment(F, MEMORY, src + k * ld, ORDER, SIX)
          .intoArray(dst, at + k * MR, SIX);
    }
  }

  private static void copy(long src, long ld, int count, int depth, float[] dst, int at) {
    for (int k = 0; k < depth; k++) {
      int d = at + k * MR;
      for (int i = 0; i < count; i++) {
        dst[d + i] = get(src + k * ld + 4L * i);
      }
      Arrays.fill(dst, d + count, d + MR, 0f);
    }
  }

  /**
   * Packs a panel of rows whose k is contiguous: element (i, k) at {@code src + i * ld + 4 k}.
   *
   * @param ld bytes from one row to the next
   * @param count number of rows, at most six
   * @param kc number of values of k
   */
  static void rows(long src, long ld, int count, int kc, float[] dst, int at) {
    int done = count == MR ? kc & -LANES : 0;
    sixRows(src, ld, dst, at, done);
    for (int i = 0; i < count; i++) {
      for (int k = done; k < kc; k++) {
        dst[at + k * MR + i] = get(src + i * ld + 4L * k);
      }
    }
    for (int k = done; k < kc; k++) {
      for (int i = count; i < MR; i++) {
        dst[at + k * MR + i] = 0f;
      }
    }
  }

  /**
   * Six rows, for k below {@code count}, a multiple of the lanes. In registers, neighbouring rows
   * are interleaved to pairs; three pairs, one of each two rows, stand side by side in the panel.
   * As integers, since a selection takes integer indices.
   */
  private static void sixRows(long src, long lds, float[] dst, int at, int count) {
    for (int k = 0; k < count; k += LANES) {
      long from = src + 4L * k;
      int to = at + MR * k;
      IntVector r0 = IntVector.fromMemorySegment(I, MEMORY, from, ORDER);
      IntVector r1 = IntVector.fromMemorySegment(I, MEMORY, from + lds, ORDER);
      IntVector r2 = IntVector.fromMemorySegment(I, MEMORY, from + 2 * lds, ORDER);
      IntVector r3 = IntVector.fromMemorySegment(I, MEMORY, from + 3 * lds, ORDER);
      IntVector r4 = IntVector.fromMemorySegment(I, MEMORY, from + 4 * lds, ORDER);
      IntVector r5 = IntVector.fromMemorySegment(I, MEMORY, from + 5 * lds, ORDER);
      IntVector p0 = LOW.selectFrom(r0, r1);
      IntVector p1 = LOW.selectFrom(r2, r3);
      IntVector p2 = LOW.selectFrom(r4, r5);
      IntVector q0 = HIGH.selectFrom(r0, r1);
      IntVector q1 = HIGH.selectFrom(r2, r3);
      IntVector q2 = HIGH.selectFrom(r4, r5);
      LAST0.selectFrom(FIRST0.selectFrom(p0, p1), p2).reinterpretAsFloats().intoArray(dst, to);
      LAST1
          .selectFrom(FIRST1.selectFrom(p0, p1), p2)
          .reinterpretAsFloats()
          .intoArray(dst, to + LANES);
      LAST2
          .selectFrom(FIRST2.selectFrom(p0, p1), p2)
          .reinterpretAsFloats()
          .intoArray(dst, to + 2 * LANES);
      LAST0
          .selectFrom(FIRST0.selectFrom(q0, q1), q2)
          .reinterpretAsFloats()
          .intoArray(dst, to + 3 * LANES);
      LAST1
          .selectFrom(FIRST1.selectFrom(q0, q1), q2)
          .reinterpretAsFloats()
          .intoArray(dst, to + 4 * LANES);
      LAST2
          .selectFrom(FIRST2.selectFrom(q0, q1), q2)
          .reinterpretAsFloats()
          .intoArray(dst, to + 5 * LANES);
    }
  }
}
