package dev.sortie.tensor.kernel.simd.gemv;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.sortie.tensor.kernel.simd.convert.DequantiseQ4K;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link RowKernel}s for Q4_K weights and vectors of 512 bits, see {@link DequantiseQ4K}. Nibbles
 * as in {@link GemvQ40}.
 */
final class GemvQ4K {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Byte> B = Width.B;
  private static final long BYTES = 4L * Width.LANES;

  /** Bytes of a block, of what stands before its nibbles, and of the nibbles of two groups. */
  private static final long BLOCK = 144;

  private static final long HEAD = 16;
  private static final long PAIR = 32;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** See {@link GemvQ40}. */
  private static final int LOW = 0x4b00_0000;

  private static final int HIGH = 0x4900_0000;

  private GemvQ4K() {}

  /**
   * One weight row, one row of x. The scales of a block wait where the sums will be, from where
   * each is loaded into all lanes at no cost of shuffles.
   */
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
        DequantiseQ4K.unpack(p, scales);
        for (long u = 0; u != 4 * PAIR; u += PAIR) {
          long q = p + HEAD + (u & OFFSET);
          long s = scales + ((u & OFFSET) >> 2);
          long o = xo & OFFSET;
          IntVector q0 =
              (IntVector)
                  ByteVector.fromMemorySegment(B, MEMORY, q, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
          IntVector q1 =
              (IntVector)
                  ByteVector.fromMemorySegment(B, MEMORY, q + 16, ORDER)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
          FloatVector scale = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s));
          FloatVector minimum = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 32));
          FloatVector v = q0.and(0x0f).or(LOW).reinterpretAsFloats().sub(0x1p23f);
          a = v.fma(scale, minimum).fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a);
          v = q1.and(0x0f).or(LOW).reinterpretAsFloats().sub(0x1p23f);
          b =
              v.fma(scale, minimum)
                  .fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b);
          scale = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 4));
          minimum = FloatVector.broadcast(F, MEMORY.get(JAVA_FLOAT_UNALIGNED, s + 36));
          v = q0.and(0xf0).or(HIGH).reinterpretAsFloats().sub(0x1p19f);
          a =
              v.fma(scale, minimum)
                  .fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + 2 * BYTES, ORDER), a);
          v = q1.and(0xf0).or(HIGH).reinterpretAsFloats().sub(0x1p19f);
          b =
              v.fma(scale, minimum)
                  .fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + 3 * BYTES, ORDER), b);
          xo += 4 * BYTES;
        }
      }
      a.add(b).intoMemorySegment(MEMORY, scales, ORDER);
    }
  }
}
