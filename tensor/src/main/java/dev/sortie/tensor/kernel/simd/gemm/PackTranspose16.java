package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes blocks of 16×16 elements of four bytes in registers: stage s exchanges sub-blocks of
 * 2^s elements between rows 2^s apart. As integers, since a selection takes integer indices.
 */
final class PackTranspose16 {
  static final int SIZE = 16;

  private static final VectorSpecies<Integer> I = IntVector.SPECIES_512;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final IntVector LOW0 = index(1, 0);
  private static final IntVector HIGH0 = index(1, 1);
  private static final IntVector LOW1 = index(2, 0);
  private static final IntVector HIGH1 = index(2, 2);
  private static final IntVector LOW2 = index(4, 0);
  private static final IntVector HIGH2 = index(4, 4);
  private static final IntVector LOW3 = index(8, 0);
  private static final IntVector HIGH3 = index(8, 8);

  private PackTranspose16() {}

  private static IntVector index(int block, int high) {
    int[] lanes = new int[SIZE];
    for (int i = 0; i < SIZE; i++) {
      lanes[i] = (i & block) == 0 ? i + high : SIZE + i - block + high;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /**
   * Writes {@code dst[at + k * ldd ..]}, 16 elements, from {@code src[0 .. 16, k]} for k below
   * {@code count}, a multiple of 16.
   *
   * @param lds bytes from one source row to the next
   * @param ldd elements from one destination row to the next
   */
  static void run(long src, long lds, float[] dst, int at, int ldd, int count) {
    for (int k = 0; k < count; k += SIZE) {
      long from = src + 4L * k;
      int to = at + k * ldd;
      IntVector r0 = IntVector.fromMemorySegment(I, MEMORY, from, ORDER);
      IntVector r1 = IntVector.fromMemorySegment(I, MEMORY, from + lds, ORDER);
      IntVector r2 = IntVector.fromMemorySegment(I, MEMORY, from + 2 * lds, ORDER);
      IntVector r3 = IntVector.fromMemorySegment(I, MEMORY, from + 3 * lds, ORDER);
      IntVector r4 = IntVector.fromMemorySegment(I, MEMORY, from + 4 * lds, ORDER);
      IntVector r5 = IntVector.fromMemorySegment(I, MEMORY, from + 5 * lds, ORDER);
      IntVector r6 = IntVector.fromMemorySegment(I, MEMORY, from + 6 * lds, ORDER);
      IntVector r7 = IntVector.fromMemorySegment(I, MEMORY, from + 7 * lds, ORDER);
      IntVector r8 = IntVector.fromMemorySegment(I, MEMORY, from + 8 * lds, ORDER);
      IntVector r9 = IntVector.fromMemorySegment(I, MEMORY, from + 9 * lds, ORDER);
      IntVector r10 = IntVector.fromMemorySegment(I, MEMORY, from + 10 * lds, ORDER);
      IntVector r11 = IntVector.fromMemorySegment(I, MEMORY, from + 11 * lds, ORDER);
      IntVector r12 = IntVector.fromMemorySegment(I, MEMORY, from + 12 * lds, ORDER);
      IntVector r13 = IntVector.fromMemorySegment(I, MEMORY, from + 13 * lds, ORDER);
      IntVector r14 = IntVector.fromMemorySegment(I, MEMORY, from + 14 * lds, ORDER);
      IntVector r15 = IntVector.fromMemorySegment(I, MEMORY, from + 15 * lds, ORDER);
      IntVector s0 = LOW0.selectFrom(r0, r1);
      IntVector s1 = HIGH0.selectFrom(r0, r1);
      IntVector s2 = LOW0.selectFrom(r2, r3);
      IntVector s3 = HIGH0.selectFrom(r2, r3);
      IntVector s4 = LOW0.selectFrom(r4, r5);
      IntVector s5 = HIGH0.selectFrom(r4, r5);
      IntVector s6 = LOW0.selectFrom(r6, r7);
      IntVector s7 = HIGH0.selectFrom(r6, r7);
      IntVector s8 = LOW0.selectFrom(r8, r9);
      IntVector s9 = HIGH0.selectFrom(r8, r9);
      IntVector s10 = LOW0.selectFrom(r10, r11);
      IntVector s11 = HIGH0.selectFrom(r10, r11);
      IntVector s12 = LOW0.selectFrom(r12, r13);
      IntVector s13 = HIGH0.selectFrom(r12, r13);
      IntVector s14 = LOW0.selectFrom(r14, r15);
      IntVector s15 = HIGH0.selectFrom(r14, r15);
      IntVector t0 = LOW1.selectFrom(s0, s2);
      IntVector t2 = HIGH1.selectFrom(s0, s2);
      IntVector t1 = LOW1.selectFrom(s1, s3);
      IntVector t3 = HIGH1.selectFrom(s1, s3);
      IntVector t4 = LOW1.selectFrom(s4, s6);
      IntVector t6 = HIGH1.selectFrom(s4, s6);
      IntVector t5 = LOW1.selectFrom(s5, s7);
      IntVector t7 = HIGH1.selectFrom(s5, s7);
      IntVector t8 = LOW1.selectFrom(s8, s10);
      IntVector t10 = HIGH1.selectFrom(s8, s10);
      IntVector t9 = LOW1.selectFrom(s9, s11);
      IntVector t11 = HIGH1.selectFrom(s9, s11);
      IntVector t12 = LOW1.selectFrom(s12, s14);
      IntVector t14 = HIGH1.selectFrom(s12, s14);
      IntVector t13 = LOW1.selectFrom(s13, s15);
      IntVector t15 = HIGH1.selectFrom(s13, s15);
      IntVector u0 = LOW2.selectFrom(t0, t4);
      IntVector u4 = HIGH2.selectFrom(t0, t4);
      IntVector u1 = LOW2.selectFrom(t1, t5);
      IntVector u5 = HIGH2.selectFrom(t1, t5);
      IntVector u2 = LOW2.selectFrom(t2, t6);
      IntVector u6 = HIGH2.selectFrom(t2, t6);
      IntVector u3 = LOW2.selectFrom(t3, t7);
      IntVector u7 = HIGH2.selectFrom(t3, t7);
      IntVector u8 = LOW2.selectFrom(t8, t12);
      IntVector u12 = HIGH2.selectFrom(t8, t12);
      IntVector u9 = LOW2.selectFrom(t9, t13);
      IntVector u13 = HIGH2.selectFrom(t9, t13);
      IntVector u10 = LOW2.selectFrom(t10, t14);
      IntVector u14 = HIGH2.selectFrom(t10, t14);
      IntVector u11 = LOW2.selectFrom(t11, t15);
      IntVector u15 = HIGH2.selectFrom(t11, t15);
      IntVector v0 = LOW3.selectFrom(u0, u8);
      IntVector v8 = HIGH3.selectFrom(u0, u8);
      IntVector v1 = LOW3.selectFrom(u1, u9);
      IntVector v9 = HIGH3.selectFrom(u1, u9);
      IntVector v2 = LOW3.selectFrom(u2, u10);
      IntVector v10 = HIGH3.selectFrom(u2, u10);
      IntVector v3 = LOW3.selectFrom(u3, u11);
      IntVector v11 = HIGH3.selectFrom(u3, u11);
      IntVector v4 = LOW3.selectFrom(u4, u12);
      IntVector v12 = HIGH3.selectFrom(u4, u12);
      IntVector v5 = LOW3.selectFrom(u5, u13);
      IntVector v13 = HIGH3.selectFrom(u5, u13);
      IntVector v6 = LOW3.selectFrom(u6, u14);
      IntVector v14 = HIGH3.selectFrom(u6, u14);
      IntVector v7 = LOW3.selectFrom(u7, u15);
      IntVector v15 = HIGH3.selectFrom(u7, u15);
      v0.reinterpretAsFloats().intoArray(dst, to);
      v1.reinterpretAsFloats().intoArray(dst, to + ldd);
      v2.reinterpretAsFloats().intoArray(dst, to + 2 * ldd);
      v3.reinterpretAsFloats().intoArray(dst, to + 3 * ldd);
      v4.reinterpretAsFloats().intoArray(dst, to + 4 * ldd);
      v5.reinterpretAsFloats().intoArray(dst, to + 5 * ldd);
      v6.reinterpretAsFloats().intoArray(dst, to + 6 * ldd);
      v7.reinterpretAsFloats().intoArray(dst, to + 7 * ldd);
      v8.reinterpretAsFloats().intoArray(dst, to + 8 * ldd);
      v9.reinterpretAsFloats().intoArray(dst, to + 9 * ldd);
      v10.reinterpretAsFloats().intoArray(dst, to + 10 * ldd);
      v11.reinterpretAsFloats().intoArray(dst, to + 11 * ldd);
      v12.reinterpretAsFloats().intoArray(dst, to + 12 * ldd);
      v13.reinterpretAsFloats().intoArray(dst, to + 13 * ldd);
      v14.reinterpretAsFloats().intoArray(dst, to + 14 * ldd);
      v15.reinterpretAsFloats().intoArray(dst, to + 15 * ldd);
    }
  }
}
