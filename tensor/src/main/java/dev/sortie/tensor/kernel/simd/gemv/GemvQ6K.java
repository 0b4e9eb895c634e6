package dev.sortie.tensor.kernel.simd.gemv;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.sortie.tensor.kernel.simd.convert.DequantiseQ6K;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link RowKernel}s for Q6_K weights and vectors of 512 bits, see {@link DequantiseQ6K}. A block's
 * 16 scales wait where the sums will be, as in {@link GemvQ4K}.
 */
final class GemvQ6K {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Byte> B = Width.B;
  private static final long BYTES = 4L * Width.LANES;

  /** Bytes of a block, and where its high bits lie. */
  private static final long BLOCK = 210;

  private static final long BITS = 128;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** See {@link GemvQ40}. */
  private static final int LOW = 0x4b00_0000;

  private static final float ZERO = 0x1p23f + 32;

  private GemvQ6K() {}

  /** One weight row, one row of x. */
  static void one(long x, long w, long rowBytes, long sums, long count, long k) {
    long end = k / 256 * BLOCK;
    long x0 = x & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + rowBytes * j) & ADDRESS;
      long scales = (sums + j * BYTES) & ADDRESS;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      long xo = 0;
      for (long wo = 0; wo != end; wo += BLOCK) {
        long p = row + (wo & OFFSET);
        DequantiseQ6K.unpack(p, scales);
        for (long u = 0; u != 4; u++) {
          long half = 32 * (u >> 1 & 1);
          int shift = (int) (4 * (u & 1));
          long q = p + 2 * half;
          long h = p + BITS + half;
          long s = scales + 16 * (u & 3);
          long o = xo & OFFSET;
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
          FloatVector v =
              q0.and(15)
                  .or(high0.lanewise(VectorOperators.LSHL, 4).and(0x30))
                  .or(LOW)
                  .reinterpretAsFloats()
                  .sub(ZERO)
                  .mul(FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s)));
          a = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a);
          IntVector q1 =
              (IntVector)
                  ByteVector.fromMemorySegment(B, MEMORY, q + 16, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
          q1 = q1.lanewise(VectorOperators.LSHR, shift);
          v =
              q1.and(15)
                  .or(high1.lanewise(VectorOperators.LSHL, 4).and(0x30))
                  .or(LOW)
                  .reinterpretAsFloats()
                  .sub(ZERO)
                  .mul(FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 4)));
          b = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b);
          IntVector q2 =
              (IntVector)
                  ByteVector.fromMemorySegment(B, MEMORY, q + 32, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
          q2 = q2.lanewise(VectorOperators.LSHR, shift);
          v =
              q2.and(15)
                  .or(high0.lanewise(VectorOperators.LSHL, 2).and(0x30))
                  .or(LOW)
                  .reinterpretAsFloats()
                  .sub(ZERO)
                  .mul(FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 8)));
          a = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + 2 * BYTES, ORDER), a);
          IntVector q3 =
              (IntVector)
                  ByteVector.fromMemorySegment(B, MEMORY, q + 48, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
          q3 = q3.lanewise(VectorOperators.LSHR, shift);
          v =
              q3.and(15)
                  .or(high1.lanewise(VectorOperators.LSHL, 2).and(0x30))
                  .or(LOW)
                  .reinterpretAsFloats()
                  .sub(ZERO)
                  .mul(FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 12)));
          b = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + 3 * BYTES, ORDER), b);
          xo += 4 * BYTES;
        }
      }
      a.add(b).intoMemorySegment(MEMORY, scales, ORDER);
    }
  }
}
