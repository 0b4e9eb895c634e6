package dev.sortie.tensor.kernel.simd.gemv;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The last step of dot products: adds the lanes of each sum. Neighbouring lanes are added until one
 * is left, so the order is a fixed binary tree. ({@code reduceLanes} leaves the order open, and
 * compiled code takes another than interpreted code.)
 *
 * <p>Kernels for several rows of x take the first steps in registers: of two vectors, a blend takes
 * the even lanes of one and the odd lanes of the other, a second blend the rest, whose neighbours
 * are then swapped, and both are added. What is left of two rows of x alternates lane by lane. The
 * other steps are taken here, over many vectors at once. (All of them here, by selections from two
 * vectors, which cost two cycles each: Zen 4, one thread, 512 rows of BF16 in the L2 cache, four
 * rows of x: k = 576 25.1 us, not 22.5, and k = 192 11.8, not 8.8. By selections in the kernels
 * 25.0 and 10.7. Rotations and additions in each vector took 20 ns per dot product.)
 */
final class GemvSums {
  /** The odd lanes, and the odd pairs of lanes. */
  static final VectorMask<Float> ODD = VectorMask.fromLong(Width.F, 0xaaaa_aaaaL);

  static final VectorMask<Float> ODD_PAIRS = VectorMask.fromLong(Width.F, 0xcccc_ccccL);

  /** Each lane in the place of its neighbour, and each pair of lanes. */
  static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(Width.F, i -> i ^ 1);

  static final VectorShuffle<Float> SWAP_PAIRS = VectorShuffle.fromOp(Width.F, i -> i ^ 2);

  private static final VectorSpecies<Integer> I = Width.I;
  private static final int LANES = I.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** The number of each lane; integers, since a selection takes integer indices. */
  private static final IntVector LANE = IntVector.broadcast(I, 0).addIndex(1);

  /** The even lanes of two vectors, and the odd ones. */
  private static final IntVector EVENS = LANE.add(LANE);

  private static final IntVector ODDS = EVENS.add(1);

  private GemvSums() {}

  /**
   * Adds vectors up: of each at {@code sums}, {@code rows} floats are left, one for each row of x.
   * The lanes of these rows alternate. Up to one vector after the array is read and not used.
   */
  static void addLanes(long sums, int count, int rows) {
    IntVector even = LANE.add(LANE.and(-rows));
    IntVector odd = even.add(rows);
    for (int left = LANES; left > rows; left /= 2) {
      long bytes = 2L * count * left;
      for (long o = 0; o < bytes; o += BYTES) {
        IntVector v = IntVector.fromMemorySegment(I, MEMORY, sums + 2 * o, ORDER);
        IntVector w = IntVector.fromMemorySegment(I, MEMORY, sums + 2 * o + BYTES, ORDER);
        even.selectFrom(v, w)
            .reinterpretAsFloats()
            .add(odd.selectFrom(v, w).reinterpretAsFloats())
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

  /**
   * Stores sums of {@code rows} rows of x, 1, 2 or 4, which alternate: the {@code count} sums of
   * row {@code r} go to {@code y + r * yBytes}. (One at a time, this took a tenth of a product of
   * four rows with k = 192.)
   *
   * @param stored rows that are stored
   */
  static void store(long sums, int rows, int stored, long y, long yBytes, int count) {
    int whole = count / LANES * LANES;
    switch (rows) {
      case 1 -> storeOne(sums, y, whole);
      case 2 -> storeTwo(sums, y, yBytes, whole);
      default -> storeFour(sums, y, yBytes, whole, stored == 4);
    }
    for (int r = 0; r < stored; r++) {
      for (int j = whole; j < count; j++) {
        float sum = MEMORY.get(JAVA_FLOAT_UNALIGNED, sums + 4L * (rows * j + r));
        MEMORY.set(JAVA_FLOAT_UNALIGNED, y + yBytes * r + 4L * j, sum);
      }
    }
  }

  private static void storeOne(long sums, long y, int count) {
    for (long o = 0; o < 4L * count; o += BYTES) {
      IntVector.fromMemorySegment(I, MEMORY, sums + o, ORDER)
          .intoMemorySegment(MEMORY, y + o, ORDER);
    }
  }

  private static void storeTwo(long sums, long y, long yBytes, int count) {
    for (long o = 0; o < 4L * count; o += BYTES) {
      IntVector v = IntVector.fromMemorySegment(I, MEMORY, sums + 2 * o, ORDER);
      IntVector w = IntVector.fromMemorySegment(I, MEMORY, sums + 2 * o + BYTES, ORDER);
      EVENS.selectFrom(v, w).intoMemorySegment(MEMORY, y + o, ORDER);
      ODDS.selectFrom(v, w).intoMemorySegment(MEMORY, y + yBytes + o, ORDER);
    }
  }

  private static void storeFour(long sums, long y, long yBytes, int count, boolean last) {
    for (long o = 0; o < 4L * count; o += BYTES) {
      long from = sums + 4 * o;
      IntVector s = IntVector.fromMemorySegment(I, MEMORY, from, ORDER);
      IntVector t = IntVector.fromMemorySegment(I, MEMORY, from + BYTES, ORDER);
      IntVector u = IntVector.fromMemorySegment(I, MEMORY, from + 2 * BYTES, ORDER);
      IntVector v = IntVector.fromMemorySegment(I, MEMORY, from + 3 * BYTES, ORDER);
      IntVector even = EVENS.selectFrom(s, t);
      IntVector evenToo = EVENS.selectFrom(u, v);
      IntVector odd = ODDS.selectFrom(s, t);
      IntVector oddToo = ODDS.selectFrom(u, v);
      EVENS.selectFrom(even, evenToo).intoMemorySegment(MEMORY, y + o, ORDER);
      EVENS.selectFrom(odd, oddToo).intoMemorySegment(MEMORY, y + yBytes + o, ORDER);
      ODDS.selectFrom(even, evenToo).intoMemorySegment(MEMORY, y + 2 * yBytes + o, ORDER);
      if (last) {
        ODDS.selectFrom(odd, oddToo).intoMemorySegment(MEMORY, y + 3 * yBytes + o, ORDER);
      }
    }
  }

  /** Adds the bias to {@code count} outputs. */
  static void addBias(long y, long bias, int count) {
    long bytes = 4L * count;
    long whole = bytes / BYTES * BYTES;
    for (long o = 0; o < whole; o += BYTES) {
      FloatVector.fromMemorySegment(Width.F, MEMORY, y + o, ORDER)
          .add(FloatVector.fromMemorySegment(Width.F, MEMORY, bias + o, ORDER))
          .intoMemorySegment(MEMORY, y + o, ORDER);
    }
    for (long o = whole; o < bytes; o += 4) {
      float sum = MEMORY.get(JAVA_FLOAT_UNALIGNED, y + o);
      MEMORY.set(JAVA_FLOAT_UNALIGNED, y + o, sum + MEMORY.get(JAVA_FLOAT_UNALIGNED, bias + o));
    }
  }
}
