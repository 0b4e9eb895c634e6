package dev.sortie.tensor.kernel.simd.convert;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Decodes whole blocks of Q6_K with vectors of 512 bits. Each vector has a scale of its own.
 *
 * <p>Half a block, 128 elements, has 64 bytes of nibbles and 32 of two bits: a byte of the latter
 * serves elements 32 apart, from its lowest bits on, with the low nibbles of the first and the
 * second 32 bytes and then their high nibbles. A pass of the inner loop takes the low or the high
 * ones; with both in one body, and no shifts, the vectors became objects.
 */
public final class DequantiseQ6K {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Byte> B = Width.B;
  private static final long BYTES = 4L * Width.LANES;

  /** Bytes of a block, and where its high bits, its scales and the scale of these lie. */
  private static final long BLOCK = 210;

  private static final long BITS = 128;
  private static final long SCALES = 192;
  private static final long SCALE = 208;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** See {@link DequantiseQ4K}. */
  private static final int LOW = 0x4b00_0000;

  private static final float ZERO = 0x1p23f + 32;

  private DequantiseQ6K() {}

  /** Puts the scales of the block at {@code p} to {@code scales}, 16 floats. */
  public static void unpack(long p, long scales) {
    float d = Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p + SCALE));
    ((FloatVector)
            ByteVector.fromMemorySegment(B, MEMORY, p + SCALES, ORDER)
                .convertShape(VectorOperators.B2F, F, 0))
        .mul(d)
        .intoMemorySegment(MEMORY, scales, ORDER);
  }

  /**
   * Decodes {@code blocks} whole blocks to floats at {@code dst}. The scales wait where the last
   * vector of a block will be.
   */
  static void run(long row, long blocks, long dst) {
    long end = blocks * BLOCK;
    long y = dst & ADDRESS;
    for (long wo = 0; wo != end; wo += BLOCK) {
      long p = (row & ADDRESS) + (wo & OFFSET);
      long scales = (y & ADDRESS) + 15 * BYTES;
      unpack(p, scales);
      for (long u = 0; u != 4; u++) {
        long half = 32 * (u >> 1 & 1);
        int shift = (int) (4 * (u & 1));
        long q = p + 2 * half;
        long h = p + BITS + half;
        long s = scales + 16 * (u & 3);
        long o = (y & ADDRESS) + 4 * BYTES * (u & 3);
        FloatVector s0 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s));
        FloatVector s1 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 4));
        FloatVector s2 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 8));
        FloatVector s3 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 12));
        IntVector high0 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, h, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        high0 = high0.lanewise(VectorOperators.LSHR, shift);
        IntVector high1 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, h + 16, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        high1 = high1.lanewise(VectorOperators.LSHR, shift);
        IntVector q0 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, q, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        q0 = q0.lanewise(VectorOperators.LSHR, shift);
        q0.and(15)
            .or(high0.lanewise(VectorOperators.LSHL, 4).and(0x30))
            .or(LOW)
            .reinterpretAsFloats()
            .sub(ZERO)
            .mul(s0)
            .intoMemorySegment(MEMORY, o, ORDER);
        IntVector q1 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, q + 16, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        q1 = q1.lanewise(VectorOperators.LSHR, shift);
        q1.and(15)
            .or(high1.lanewise(VectorOperators.LSHL, 4).and(0x30))
            .or(LOW)
            .reinterpretAsFloats()
            .sub(ZERO)
            .mul(s1)
            .intoMemorySegment(MEMORY, o + BYTES, ORDER);
        IntVector q2 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, q + 32, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        q2 = q2.lanewise(VectorOperators.LSHR, shift);
        q2.and(15)
            .or(high0.lanewise(VectorOperators.LSHL, 2).and(0x30))
            .or(LOW)
            .reinterpretAsFloats()
            .sub(ZERO)
            .mul(s2)
            .intoMemorySegment(MEMORY, o + 2 * BYTES, ORDER);
        IntVector q3 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, q + 48, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        q3 = q3.lanewise(VectorOperators.LSHR, shift);
        q3.and(15)
            .or(high1.lanewise(VectorOperators.LSHL, 2).and(0x30))
            .or(LOW)
            .reinterpretAsFloats()
            .sub(ZERO)
            .mul(s3)
            .intoMemorySegment(MEMORY, o + 3 * BYTES, ORDER);
      }
      y += 16 * BYTES;
    }
  }
}
