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
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Decodes whole blocks of Q4_K with vectors of 512 bits. A nibble becomes a number as mantissa bits
 * of a power of two, which is then subtracted.
 *
 * <p>A block has 8 scales and 8 minima of 6 bits in 12 bytes. One vector unpacks all 16: lane g is
 * scale g, lane 8 + g minimum g. The first four of each are the low 6 bits of a byte. The others
 * have 4 bits in one byte, the low half for scales and the high one for minima, and the 2 bits
 * above the 6 of another.
 */
public final class DequantiseQ4K {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Byte> B = Width.B;
  private static final long BYTES = 4L * Width.LANES;

  /** Bytes of a block, of what stands before its nibbles, and of the nibbles of two groups. */
  private static final long BLOCK = 144;

  private static final long HEAD = 16;
  private static final long PAIR = 32;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** Where lanes find their low bits and their two high bits among the 16 bytes of the head. */
  private static final IntVector LOW_BITS =
      lanes(4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);

  private static final IntVector HIGH_BITS =
      lanes(4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11);

  private static final IntVector LOW_SHIFT = lanes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4);
  private static final IntVector LOW_MASK =
      lanes(63, 63, 63, 63, 15, 15, 15, 15, 63, 63, 63, 63, 15, 15, 15, 15);
  private static final IntVector HIGH_MASK =
      lanes(0, 0, 0, 0, 48, 48, 48, 48, 0, 0, 0, 0, 48, 48, 48, 48);
  private static final VectorMask<Float> MINIMA = VectorMask.fromLong(F, 0xff00);

  /** 2^23 as bits, whose last mantissa bit is worth 1: {@code LOW | q} is 2^23 + q. */
  private static final int LOW = 0x4b00_0000;

  /** 2^19, whose bit 4 is worth 1, so that high nibbles need no shift. */
  private static final int HIGH = 0x4900_0000;

  private DequantiseQ4K() {}

  /** A constant of 16 lanes; of fewer where this class is not used. */
  private static IntVector lanes(int... values) {
    return IntVector.fromArray(I, values, 0);
  }

  /**
   * Puts the scales and the negated minima of the block at {@code p} to {@code scales}, 16 floats.
   */
  public static void unpack(long p, long scales) {
    IntVector head =
        (IntVector)
            ByteVector.fromMemorySegment(B, MEMORY, p, ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
    IntVector bits =
        LOW_BITS.selectFrom(head).lanewise(VectorOperators.LSHR, LOW_SHIFT).and(LOW_MASK);
    bits = HIGH_BITS.selectFrom(head).lanewise(VectorOperators.LSHR, 2).and(HIGH_MASK).or(bits);
    float d = Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p));
    float m = Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p + 2));
    ((FloatVector) bits.convert(VectorOperators.I2F, 0))
        .mul(FloatVector.broadcast(F, d).blend(-m, MINIMA))
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
      for (long u = 0; u != 4 * PAIR; u += PAIR) {
        long q = p + HEAD + (u & OFFSET);
        long s = scales + ((u & OFFSET) >> 2);
        long o = (y & ADDRESS) + 8 * (u & OFFSET);
        FloatVector scale0 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s));
        FloatVector scale1 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 4));
        FloatVector min0 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 32));
        FloatVector min1 = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 36));
        IntVector q0 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, q, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        IntVector q1 =
            (IntVector)
                ByteVector.fromMemorySegment(B, MEMORY, q + 16, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
        FloatVector v = q0.and(0x0f).or(LOW).reinterpretAsFloats().sub(0x1p23f);
        v.fma(scale0, min0).intoMemorySegment(MEMORY, o, ORDER);
        v = q1.and(0x0f).or(LOW).reinterpretAsFloats().sub(0x1p23f);
        v.fma(scale0, min0).intoMemorySegment(MEMORY, o + BYTES, ORDER);
        v = q0.and(0xf0).or(HIGH).reinterpretAsFloats().sub(0x1p19f);
        v.fma(scale1, min1).intoMemorySegment(MEMORY, o + 2 * BYTES, ORDER);
        v = q1.and(0xf0).or(HIGH).reinterpretAsFloats().sub(0x1p19f);
        v.fma(scale1, min1).intoMemorySegment(MEMORY, o + 3 * BYTES, ORDER);
      }
      y += 16 * BYTES;
    }
  }
}
