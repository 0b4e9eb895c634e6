package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes blocks of 4×4 elements of four bytes in registers: stage s exchanges sub-blocks of 2^s
 * elements between rows 2^s apart. As integers, since a selection takes integer indices.
 */
final class PackTranspose4 {
  static final int SIZE = 4;

  private static final VectorSpecies<Integer> I = IntVector.SPECIES_128;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final IntVector LOW0 = index(1, 0);
  private static final IntVector HIGH0 = index(1, 1);
  private static final IntVector LOW1 = index(2, 0);
  private static final IntVector HIGH1 = index(2, 2);

  private PackTranspose4() {}

  private static IntVector index(int block, int high) {
    int[] lanes = new int[SIZE];
    for (int i = 0; i < SIZE; i++) {
      lanes[i] = (i & block) == 0 ? i + high : SIZE + i - block + high;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /**
   * Writes {@code dst[at + k * ldd ..]}, 4 elements, from {@code src[0 .. 4, k]} for k below {@code
   * count}, a multiple of 4.
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
      IntVector s0 = LOW0.selectFrom(r0, r1);
      IntVector s1 = HIGH0.selectFrom(r0, r1);
      IntVector s2 = LOW0.selectFrom(r2, r3);
      IntVector s3 = HIGH0.selectFrom(r2, r3);
      IntVector t0 = LOW1.selectFrom(s0, s2);
      IntVector t2 = HIGH1.selectFrom(s0, s2);
      IntVector t1 = LOW1.selectFrom(s1, s3);
      IntVector t3 = HIGH1.selectFrom(s1, s3);
      t0.reinterpretAsFloats().intoArray(dst, to);
      t1.reinterpretAsFloats().intoArray(dst, to + ldd);
      t2.reinterpretAsFloats().intoArray(dst, to + 2 * ldd);
      t3.reinterpretAsFloats().intoArray(dst, to + 3 * ldd);
    }
  }
}
