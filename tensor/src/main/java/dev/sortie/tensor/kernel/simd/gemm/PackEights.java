package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Copies 16 neighbouring columns into two panels of 8, two rows at a time, with registers of 512
 * bits: a vector of each panel holds both rows. Storing half vectors over each other made 91
 * GFLOP/s of the product 2048 x 192 x 512 with transposed A instead of 96; vectors of 256 bits
 * would do, but two widths in one JVM spoil the type profiles of the vector methods, and C2 now and
 * then boxes.
 */
final class PackEights {
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_512;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final IntVector LEFT = index(0);
  private static final IntVector RIGHT = index(8);

  private PackEights() {}

  /** Lanes {@code [from, from + 8)} of the first vector, then of the second. */
  private static IntVector index(int from) {
    int[] lanes = new int[16];
    for (int i = 0; i < 16; i++) {
      lanes[i] = from + i % 8 + i / 8 * 16;
    }
    return IntVector.fromArray(I, lanes, 0);
  }

  /**
   * Packs 16 columns.
   *
   * @param ld bytes from one source row to the next
   * @param rows an even number
   * @param left where the panel of the first 8 columns starts in {@code dst}
   * @param right where the other one starts
   */
  static void run(long src, long ld, int rows, float[] dst, int left, int right) {
    for (int k = 0; k < rows; k += 2) {
      IntVector v = IntVector.fromMemorySegment(I, MEMORY, src + k * ld, ORDER);
      IntVector w = IntVector.fromMemorySegment(I, MEMORY, src + (k + 1) * ld, ORDER);
      LEFT.selectFrom(v, w).reinterpretAsFloats().intoArray(dst, left + 8 * k);
      RIGHT.selectFrom(v, w).reinterpretAsFloats().intoArray(dst, right + 8 * k);
    }
  }
}
