package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes 8 rows by 16 columns of four bytes in registers of 512 bits: stage s interleaves
 * blocks of 2^s elements of two vectors, and after three stages a vector holds two rows of 8. As
 * integers, since a selection takes integer indices.
 *
 * <p>With registers of 256 bits this takes twice the steps, and, worse, two widths in one JVM spoil
 * the type profiles of the vector methods: C2 then now and then keeps vectors as objects.
 */
final class PackTranspose8Wide {
  static final int ROWS = 8;
  static final int COLUMNS = 16;

  private static final VectorSpecies<Integer> I = IntVector.SPECIES_512;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final IntVector LOW0 = index(1, 0);
  private static final IntVector HIGH0 = index(1, 8);
  private static final IntVector LOW1 = index(2, 0);
  private static final IntVector HIGH1 = index(2, 8);
  private static final IntVector LOW2 = index(4, 0);
  private static final IntVector HIGH2 = index(4, 8);

  private PackTranspose8Wide() {}

  /** Blocks of the first vector and of the second in turn, from lane {@code from} of both on. */
  private static IntVector index(int block, int from) {
    int[] lanes = new int[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
      int second = i / block % 2 * COLUMNS;
      lanes[i] = second + from + i / (2 * block) * block + i % block;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /**
   * Writes {@code dst[at + 8 k ..]}, 8 elements, from {@code src[0 .. 8, k]} for k below {@code
   * count}, a multiple of 16.
   *
   * @param lds bytes from one source row to the next
   */
  static void run(long src, long lds, float[] dst, int at, int count) {
    for (int k = 0; k < count; k += COLUMNS) {
      long from = src + 4L * k;
      int to = at + ROWS * k;
      IntVector r0 = IntVector.fromMemorySegment(I, MEMORY, from, ORDER);
      IntVector r1 = IntVector.fromMemorySegment(I, MEMORY, from + lds, ORDER);
      IntVector r2 = IntVector.fromMemorySegment(I, MEMORY, from + 2 * lds, ORDER);
      IntVector r3 = IntVector.fromMemorySegment(I, MEMORY, from + 3 * lds, ORDER);
      IntVector r4 = IntVector.fromMemorySegment(I, MEMORY, from + 4 * lds, ORDER);
      IntVector r5 = IntVector.fromMemorySegment(I, MEMORY, from + 5 * lds, ORDER);
      IntVector r6 = IntVector.fromMemorySegment(I, MEMORY, from + 6 * lds, ORDER);
      IntVector r7 = IntVector.fromMemorySegment(I, MEMORY, from + 7 * lds, ORDER);
      IntVector s0 = LOW0.selectFrom(r0, r1);
      IntVector s1 = HIGH0.selectFrom(r0, r1);
      IntVector s2 = LOW0.selectFrom(r2, r3);
      IntVector s3 = HIGH0.selectFrom(r2, r3);
      IntVector s4 = LOW0.selectFrom(r4, r5);
      IntVector s5 = HIGH0.selectFrom(r4, r5);
      IntVector s6 = LOW0.selectFrom(r6, r7);
      IntVector s7 = HIGH0.selectFrom(r6, r7);
      IntVector t0 = LOW1.selectFrom(s0, s2);
      IntVector t1 = HIGH1.selectFrom(s0, s2);
      IntVector t2 = LOW1.selectFrom(s1, s3);
      IntVector t3 = HIGH1.selectFrom(s1, s3);
      IntVector t4 = LOW1.selectFrom(s4, s6);
      IntVector t5 = HIGH1.selectFrom(s4, s6);
      IntVector t6 = LOW1.selectFrom(s5, s7);
      IntVector t7 = HIGH1.selectFrom(s5, s7);
      LOW2.selectFrom(t0, t4).reinterpretAsFloats().intoArray(dst, to);
      HIGH2.selectFrom(t0, t4).reinterpretAsFloats().intoArray(dst, to + 16);
      LOW2.selectFrom(t1, t5).reinterpretAsFloats().intoArray(dst, to + 32);
      HIGH2.selectFrom(t1, t5).reinterpretAsFloats().intoArray(dst, to + 48);
      LOW2.selectFrom(t2, t6).reinterpretAsFloats().intoArray(dst, to + 64);
      HIGH2.selectFrom(t2, t6).reinterpretAsFloats().intoArray(dst, to + 80);
      LOW2.selectFrom(t3, t7).reinterpretAsFloats().intoArray(dst, to + 96);
      HIGH2.selectFrom(t3, t7).reinterpretAsFloats().intoArray(dst, to + 112);
    }
  }
}
