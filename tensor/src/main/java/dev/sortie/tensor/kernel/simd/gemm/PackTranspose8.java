package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes blocks of 8×8 elements of four bytes in registers: stage s exchanges sub-blocks of 2^s
 * elements between rows 2^s apart. As integers, since a selection takes integer indices.
 */
final class PackTranspose8 {
  static final int SIZE = 8;

  private static final VectorSpecies<Integer> I = IntVector.SPECIES_256;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final IntVector LOW0 = index(1, 0);
  private static final IntVector HIGH0 = index(1, 1);
  private static final IntVector LOW1 = index(2, 0);
  private static final IntVector HIGH1 = index(2, 2);
  private static final IntVector LOW2 = index(4, 0);
  private static final IntVector HIGH2 = index(4, 4);

  private PackTranspose8() {}

  private static IntVector index(int block, int high) {
    int[] lanes = new int[SIZE];
    for (int i = 0; i < SIZE; i++) {
      lanes[i] = (i & block) == 0 ? i + high : SIZE + i - block + high;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /**
   * Writes {@code dst[at + k * ldd ..]}, 8 elements, from {@code src[0 .. 8, k]} for k below {@code
   * count}, a multiple of 8. With 6 rows the last two elements are left-overs; where {@code ldd} is
   * 6, the next row overwrites them.
   *
   * @param rows 6 or 8
   * @param lds bytes from one source row to the next
   * @param ldd elements from one destination row to the next
   */
  static void run(long src, int rows, long lds, float[] dst, int at, int ldd, int count) {
    long seventh = Math.min(6, rows - 1) * lds;
    long eighth = (rows - 1) * lds;
    for (int k = 0; k < count; k += SIZE) {
      long from = src + 4L * k;
      int to = at + k * ldd;
      IntVector r0 = IntVector.fromMemorySegment(I, MEMORY, from, ORDER);
      IntVector r1 = IntVector.fromMemorySegment(I, MEMORY, from + lds, ORDER);
      IntVector r2 = IntVector.fromMemorySegment(I, MEMORY, from + 2 * lds, ORDER);
      IntVector r3 = IntVector.fromMemorySegment(I, MEMORY, from + 3 * lds, ORDER);
      IntVector r4 = IntVector.fromMemorySegment(I, MEMORY, from + 4 * lds, ORDER);
      IntVector r5 = IntVector.fromMemorySegment(I, MEMORY, from + 5 * lds, ORDER);
      IntVector r6 = IntVector.fromMemorySegment(I, MEMORY, from + seventh, ORDER);
      IntVector r7 = IntVector.fromMemorySegment(I, MEMORY, from + eighth, ORDER);
      IntVector s0 = LOW0.selectFrom(r0, r1);
      IntVector s1 = HIGH0.selectFrom(r0, r1);
      IntVector s2 = LOW0.selectFrom(r2, r3);
      IntVector s3 = HIGH0.selectFrom(r2, r3);
      IntVector s4 = LOW0.selectFrom(r4, r5);
      IntVector s5 = HIGH0.selectFrom(r4, r5);
      IntVector s6 = LOW0.selectFrom(r6, r7);
      IntVector s7 = HIGH0.selectFrom(r6, r7);
      IntVector t0 = LOW1.selectFrom(s0, s2);
      IntVector t2 = HIGH1.selectFrom(s0, s2);
      IntVector t1 = LOW1.selectFrom(s1, s3);
      IntVector t3 = HIGH1.selectFrom(s1, s3);
      IntVector t4 = LOW1.selectFrom(s4, s6);
      IntVector t6 = HIGH1.selectFrom(s4, s6);
      IntVector t5 = LOW1.selectFrom(s5, s7);
      IntVector t7 = HIGH1.selectFrom(s5, s7);
      IntVector u0 = LOW2.selectFrom(t0, t4);
      IntVector u4 = HIGH2.selectFrom(t0, t4);
      IntVector u1 = LOW2.selectFrom(t1, t5);
      IntVector u5 = HIGH2.selectFrom(t1, t5);
      IntVector u2 = LOW2.selectFrom(t2, t6);
      IntVector u6 = HIGH2.selectFrom(t2, t6);
      IntVector u3 = LOW2.selectFrom(t3, t7);
      IntVector u7 = HIGH2.selectFrom(t3, t7);
      u0.reinterpretAsFloats().intoArray(dst, to);
      u1.reinterpretAsFloats().intoArray(dst, to + ldd);
      u2.reinterpretAsFloats().intoArray(dst, to + 2 * ldd);
      u3.reinterpretAsFloats().intoArray(dst, to + 3 * ldd);
      u4.reinterpretAsFloats().intoArray(dst, to + 4 * ldd);
      u5.reinterpretAsFloats().intoArray(dst, to + 5 * ldd);
      u6.reinterpretAsFloats().intoArray(dst, to + 6 * ldd);
      u7.reinterpretAsFloats().intoArray(dst, to + 7 * ldd);
    }
  }
}
