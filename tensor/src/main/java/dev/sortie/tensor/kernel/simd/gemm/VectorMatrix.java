package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * One row times a matrix whose k is not contiguous: {@code c[j] = sum of a[i] · b[i,j]}. Each
 * weight is read once and none is packed; packing made it 0.37 of OpenBLAS's speed. The sums have
 * the bits that {@link Gemm} gives: k ascending by fma inside its blocks of K, and the blocks added
 * in order.
 *
 * @param a address of {@code [k]}
 * @param b address of {@code [k, n]}
 * @param c address of {@code [n]}
 * @param accumulate whether the sums are added to c
 */
public record VectorMatrix(long a, long b, long c, int n, int k, boolean accumulate) {
  private static final VectorSpecies<Float> F = Width.F;
  private static final int LANES = F.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Columns at a time: their sums take half an L1 cache of 32 KiB, and rows are long streams. */
  private static final int COLUMNS = 4096;

  /** Rows of b at a time: that many streams, for one load and store of the sums. */
  private static final int ROWS = 8;

  /** Bytes of scratch that {@link #run} needs. */
  public static final long SCRATCH_BYTES = 4L * COLUMNS;

  /** Computes the columns of vectors {@code [from, to)}; the last vector may be a part of one. */
  public void run(int from, int to, long scratch) {
    int end = Math.min(n, to * LANES);
    for (int j = from * LANES; j < end; j += COLUMNS) {
      int count = Math.min(COLUMNS, end - j);
      int block = Gemm.blockOfK(k);
      for (int i = 0; i < k; i += block) {
        boolean first = i == 0 && !accumulate;
        block(i, Math.min(k, i + block), j, count, first ? c + 4L * j : scratch);
        if (!first) {
          add(scratch, c + 4L * j, count);
        }
      }
      if (k == 0 && !accumulate) {
        MEMORY.asSlice(c + 4L * j, 4L * count).fill((byte) 0);
      }
    }
  }

  /** Sums of rows {@code [from, to)}, {@code count} columns from {@code j} on. */
  private void block(int from, int to, int j, int count, long sums) {
    long whole = 4L * (count / LANES * LANES);
    MEMORY.asSlice(sums, 4L * count).fill((byte) 0);
    long rowBytes = 4L * n;
    int i = from;
    for (; i + ROWS <= to; i += ROWS) {
      eight(a + 4L * i, b + rowBytes * i + 4L * j, rowBytes, sums, whole);
    }
    for (; i < to; i++) {
      one(a + 4L * i, b + rowBytes * i + 4L * j, sums, whole);
    }
    for (long o = whole; o < 4L * count; o += 4) {
      float sum = 0;
      for (int r = from; r < to; r++) {
        float weight = MEMORY.get(JAVA_FLOAT_UNALIGNED, b + rowBytes * r + 4L * j + o);
        sum = Math.fma(weight, MEMORY.get(JAVA_FLOAT_UNALIGNED, a + 4L * r), sum);
      }
      MEMORY.set(JAVA_FLOAT_UNALIGNED, sums + o, sum);
    }
  }

  private static FloatVector factor(long a, int i) {
    return FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, a + 4L * i));
  }

  private static void eight(long a, long b, long rowBytes, long sums, long bytes) {
    FloatVector a0 = factor(a, 0);
    FloatVector a1 = factor(a, 1);
    FloatVector a2 = factor(a, 2);
    FloatVector a3 = factor(a, 3);
    FloatVector a4 = factor(a, 4);
    FloatVector a5 = factor(a, 5);
    FloatVector a6 = factor(a, 6);
    FloatVector a7 = factor(a, 7);
    long s = sums & ADDRESS;
    long b0 = b & ADDRESS;
    long b1 = (b + rowBytes) & ADDRESS;
    long b2 = (b + 2 * rowBytes) & ADDRESS;
    long b3 = (b + 3 * rowBytes) & ADDRESS;
    long b4 = (b + 4 * rowBytes) & ADDRESS;
    long b5 = (b + 5 * rowBytes) & ADDRESS;
    long b6 = (b + 6 * rowBytes) & ADDRESS;
    long b7 = (b + 7 * rowBytes) & ADDRESS;
    for (long at = 0; at != bytes; at += 4L * LANES) {
      long o = at & OFFSET;
      FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, s + o, ORDER);
      v = FloatVector.fromMemorySegment(F, MEMORY, b0 + o, ORDER).fma(a0, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b1 + o, ORDER).fma(a1, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b2 + o, ORDER).fma(a2, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b3 + o, ORDER).fma(a3, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b4 + o, ORDER).fma(a4, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b5 + o, ORDER).fma(a5, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b6 + o, ORDER).fma(a6, v);
      v = FloatVector.fromMemorySegment(F, MEMORY, b7 + o, ORDER).fma(a7, v);
      v.intoMemorySegment(MEMORY, s + o, ORDER);
    }
  }

  private static void one(long a, long b, long sums, long bytes) {
    FloatVector a0 = factor(a, 0);
    for (long at = 0; at != bytes; at += 4L * LANES) {
      long o = at & OFFSET;
      FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, (sums & ADDRESS) + o, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, (b & ADDRESS) + o, ORDER)
          .fma(a0, v)
          .intoMemorySegment(MEMORY, (sums & ADDRESS) + o, ORDER);
    }
  }

  private static void add(long sums, long c, int count) {
    int j = 0;
    for (; j + LANES <= count; j += LANES) {
      FloatVector.fromMemorySegment(F, MEMORY, c + 4L * j, ORDER)
          .add(FloatVector.fromMemorySegment(F, MEMORY, sums + 4L * j, ORDER))
          .intoMemorySegment(MEMORY, c + 4L * j, ORDER);
    }
    for (; j < count; j++) {
      MEMORY.set(
          JAVA_FLOAT_UNALIGNED,
          c + 4L * j,
          MEMORY.get(JAVA_FLOAT_UNALIGNED, c + 4L * j)
              + MEMORY.get(JAVA_FLOAT_UNALIGNED, sums + 4L * j));
    }
  }
}
