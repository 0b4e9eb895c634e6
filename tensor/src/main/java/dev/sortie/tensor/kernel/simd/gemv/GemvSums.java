package dev.sortie.tensor.kernel.simd.gemv;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The last step of dot products: adds the lanes of many vectors at once. Neighbouring floats are
 * added, over the whole array, until one float a vector is left; so the order is a fixed binary
 * tree. ({@code reduceLanes} leaves the order open, and compiled code takes another than
 * interpreted code. Rotations and additions in each vector cost 20 ns per dot product, five times
 * the products of k = 192.)
 */
final class GemvSums {
  private static final VectorSpecies<Integer> I = Width.I;
  private static final int LANES = I.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Even and odd lanes of two vectors; as integers, since a selection takes integer indices. */
  private static final IntVector EVEN = IntVector.broadcast(I, 0).addIndex(2);

  private static final IntVector ODD = IntVector.broadcast(I, 1).addIndex(2);

  private GemvSums() {}

  /**
   * Replaces {@code count} vectors at {@code sums} by the sums of their lanes, {@code count}
   * floats. Up to one vector behind the array is read and not used.
   */
  static void addLanes(long sums, int count) {
    for (int left = LANES; left > 1; left /= 2) {
      long bytes = 2L * count * left;
      for (long o = 0; o < bytes; o += BYTES) {
        IntVector v = IntVector.fromMemorySegment(I, MEMORY, sums + 2 * o, ORDER);
        IntVector w = IntVector.fromMemorySegment(I, MEMORY, sums + 2 * o + BYTES, ORDER);
        EVEN.selectFrom(v, w)
            .reinterpretAsFloats()
            .add(ODD.selectFrom(v, w).reinterpretAsFloats())
            .intoMemorySegment(MEMORY, sums + o, ORDER);
      }
    }
  }

  /**
   * Adds the products of the last {@code k % lanes} elements, one by one, to {@code count} sums of
   * one row of x, which lie {@code stride} floats apart.
   */
  static void addTail(DType type, long x, long w, long sums, int stride, int count, int k) {
    for (int j = 0; j < count; j++) {
      long row = w + (long) type.bytes() * j * k;
      float sum = MEMORY.get(JAVA_FLOAT_UNALIGNED, sums + 4L * stride * j);
      for (int i = k / LANES * LANES; i < k; i++) {
        sum = Math.fma(weight(type, row, i), MEMORY.get(JAVA_FLOAT_UNALIGNED, x + 4L * i), sum);
      }
      MEMORY.set(JAVA_FLOAT_UNALIGNED, sums + 4L * stride * j, sum);
    }
  }

  private static float weight(DType type, long row, int i) {
    return switch (type) {
      case BF16 -> DType.fromBf16(MEMORY.get(JAVA_SHORT_UNALIGNED, row + 2L * i));
      case F16 -> Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, row + 2L * i));
      default -> MEMORY.get(JAVA_FLOAT_UNALIGNED, row + 4L * i);
    };
  }

  /** Stores {@code count} sums, which lie {@code stride} floats apart, plus the bias unless 0. */
  static void store(long sums, int stride, long bias, long y, int count) {
    for (int j = 0; j < count; j++) {
      float sum = MEMORY.get(JAVA_FLOAT_UNALIGNED, sums + 4L * stride * j);
      MEMORY.set(
          JAVA_FLOAT_UNALIGNED,
          y + 4L * j,
          bias == 0 ? sum : sum + MEMORY.get(JAVA_FLOAT_UNALIGNED, bias + 4L * j));
    }
  }
}
