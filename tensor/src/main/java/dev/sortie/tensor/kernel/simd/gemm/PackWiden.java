package dev.sortie.tensor.kernel.simd.gemm;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.convert.Dequantise;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Widens runs of BF16 and F16 elements to F32, exactly. */
final class PackWiden {
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Short> S = Width.S;
  private static final int LANES = Width.LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private PackWiden() {}

  /** Widens {@code count} elements of {@code type} at {@code src} to floats at {@code dst}. */
  static void run(DType type, long src, int count, long dst) {
    switch (type) {
      case BF16 -> bf16(src, count, dst);
      case F16 -> f16(src, count, dst);
      default ->
          throw new IllegalArgumentException(
              "cannot widen " + type + "; matrix weights are F32, BF16, F16 or quantised");
    }
  }

  /**
   * Widens elements {@code [from, from + count)} of the row at {@code row}; for quantised types see
   * {@link Dequantise#run}.
   */
  static void run(DType type, long row, long from, int count, long dst) {
    if (type.isQuantised()) {
      Dequantise.run(type, row, from, count, dst);
    } else {
      run(type, row + from * type.bytes(), count, dst);
    }
  }

  /**
   * Widens pairs of BF16 elements in a panel of F32. An even row holds, in each element, one of its
   * own in the lower half and one of the next row in the upper half.
   *
   * @param rows an even number
   * @param row bytes of a row, whole vectors
   */
  static void pairs(long panel, int rows, long row) {
    for (int k = 0; k < rows; k += 2) {
      long even = panel + k * row;
      for (long at = even; at < even + row; at += 4L * LANES) {
        IntVector v = IntVector.fromMemorySegment(I, MEMORY, at, ORDER);
        v.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(MEMORY, at, ORDER);
        v.and(0xffff_0000).intoMemorySegment(MEMORY, at + row, ORDER);
      }
    }
  }

  private static void bf16(long src, int count, long dst) {
    int full = count / LANES * LANES;
    for (int i = 0; i != full; i += LANES) {
      IntVector bits =
          (IntVector)
              ShortVector.fromMemorySegment(S, MEMORY, src + 2L * i, ORDER)
                  .convertShape(VectorOperators.S2I, I, 0);
      bits.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(MEMORY, dst + 4L * i, ORDER);
    }
    for (int i = full; i < count; i++) {
      MEMORY.set(
          JAVA_FLOAT_UNALIGNED,
          dst + 4L * i,
          DType.fromBf16(MEMORY.get(JAVA_SHORT_UNALIGNED, src + 2L * i)));
    }
  }

  /**
   * The exponent moves to its place by a shift and gets its bias by a product with 2^112, which
   * also makes subnormals right; infinity and NaN, from 0x7c00 on, get theirs by OR. With a mask
   * the decoding of 1024 x 192 fell from 12 to 8 GB/s.
   */
  private static void f16(long src, int count, long dst) {
    int full = count / LANES * LANES;
    for (int i = 0; i != full; i += LANES) {
      IntVector bits =
          (IntVector)
              ShortVector.fromMemorySegment(S, MEMORY, src + 2L * i, ORDER)
                  .convertShape(VectorOperators.S2I, I, 0);
      IntVector size = bits.and(0x7fff);
      IntVector special =
          size.add(0x400)
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 31)
              .and(0x7f80_0000);
      IntVector scaled =
          size.lanewise(VectorOperators.LSHL, 13)
              .reinterpretAsFloats()
              .mul(0x1p112f)
              .reinterpretAsInts();
      scaled.or(special).or(bits.and(0x8000_0000)).intoMemorySegment(MEMORY, dst + 4L * i, ORDER);
    }
    for (int i = full; i < count; i++) {
      MEMORY.set(
          JAVA_FLOAT_UNALIGNED,
          dst + 4L * i,
          Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, src + 2L * i)));
    }
  }
}
