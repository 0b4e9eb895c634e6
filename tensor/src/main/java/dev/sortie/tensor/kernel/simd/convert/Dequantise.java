package dev.sortie.tensor.kernel.simd.convert;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.dtype.Blocks;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Decodes runs of quantised weights to F32, to the bits of {@link Blocks}, which has the layouts. A
 * vector of elements at a time, so that a run may begin and end inside a block. Blocks of 32 are
 * here, those of 256 in {@link DequantiseK}.
 *
 * <p>A loop calls {@link #store} at one place: C2 does not inline it where the profile calls a
 * branch rare, and the first files read may all be of one type.
 */
public final class Dequantise {
  static final VectorSpecies<Float> F = Width.F;
  static final VectorSpecies<Integer> I = Width.I;
  static final int LANES = Width.LANES;

  private static final VectorSpecies<Byte> B = Width.B;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final IntVector LANE = IntVector.zero(I).addIndex(1);
  private static final IntVector BYTE_OF_INT = LANE.and(3).lanewise(VectorOperators.LSHL, 3);

  /** Added where a type has no minimum: unlike 0 it leaves a negative zero as it is. */
  static final float NONE = -0f;

  private Dequantise() {}

  /**
   * Decodes elements {@code [from, from + count)} of the row at {@code row} to floats at {@code
   * dst}; both are multiples of the vector length.
   */
  public static void run(DType type, long row, long from, long count, long dst) {
    if (from % LANES != 0 || count % LANES != 0) {
      throw new IllegalArgumentException(
          "cannot decode " + count + " elements from " + from + " in vectors of " + LANES);
    }
    if (LANES == 16 && from % 256 == 0 && count % 256 == 0) {
      if (type == DType.Q4_K) {
        DequantiseQ4K.run(row + type.bytes(from), count / 256, dst);
        return;
      }
      if (type == DType.Q6_K) {
        DequantiseQ6K.run(row + type.bytes(from), count / 256, dst);
        return;
      }
    }
    long w = row & ADDRESS;
    long to = from + count;
    long out = (dst & ADDRESS) - 4 * from;
    switch (type) {
      case Q8_0 -> q80(w, from, to, out);
      case Q4_0 -> q4(w, 18, from, to, out);
      case Q4_1 -> q4(w, 20, from, to, out);
      case Q5_0 -> q5(w, 22, from, to, out);
      case Q5_1 -> q5(w, 24, from, to, out);
      case IQ4_NL -> iq4nl(w, from, to, out);
      case Q2_K -> DequantiseK.q2(w, from, to, out);
      case Q3_K -> DequantiseK.q3(w, from, to, out);
      case Q4_K -> DequantiseK.q4(w, from, to, out);
      case Q5_K -> DequantiseK.q5(w, from, to, out);
      case Q6_K -> DequantiseK.q6(w, from, to, out);
      case IQ4_XS -> iq4xs(w, from, to, out);
      case F32, F64, BF16, F16, I32 ->
          throw new IllegalArgumentException(type + " is not a quantised type");
    }
  }

  static float half(long at) {
    return Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, at));
  }

  static int unsigned(long at) {
    return MEMORY.get(JAVA_BYTE, at) & 0xff;
  }

  /** A vector of bytes at {@code at}, zero-extended. */
  static IntVector bytes(long at) {
    if (LANES < 8) {
      return IntVector.broadcast(I, MEMORY.get(JAVA_INT_UNALIGNED, at))
          .lanewise(VectorOperators.LSHR, BYTE_OF_INT)
          .and(0xff);
    }
    return (IntVector)
        ByteVector.fromMemorySegment(B, MEMORY, at, ORDER)
            .convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
  }

  /**
   * Stores {@code q d + m}, rounded once: the product of a quantum and its scale is exact, or the
   * minimum is {@link #NONE}.
   */
  static void store(IntVector q, float d, float m, long out) {
    ((FloatVector) q.convert(VectorOperators.I2F, 0))
        .fma(FloatVector.broadcast(F, d), FloatVector.broadcast(F, m))
        .intoMemorySegment(MEMORY, out, ORDER);
  }

  private static void q80(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 5) * 34;
      IntVector q =
          bytes(block + 2 + (i & 31))
              .lanewise(VectorOperators.LSHL, 24)
              .lanewise(VectorOperators.ASHR, 24);
      store(q, half(block), NONE, out + 4 * i);
    }
  }

  /** The nibbles of element {@code e} of a group of 32 and those after it, from 16 bytes. */
  private static IntVector nibbles(long bytes, long e) {
    return bytes(bytes + (e & 15)).lanewise(VectorOperators.LSHR, (int) (e >>> 4 << 2)).and(15);
  }

  /** Q4_0 or, in blocks of 20 bytes, Q4_1. */
  private static void q4(long row, long blockBytes, long from, long to, long out) {
    boolean minimum = blockBytes == 20;
    int zero = minimum ? 0 : 8;
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 5) * blockBytes;
      IntVector q = nibbles(block + blockBytes - 16, (i & 31));
      store(q.sub(zero), half(block), minimum ? half(block + 2) : NONE, out + 4 * i);
    }
  }

  /** Q5_0 or, in blocks of 24 bytes, Q5_1. */
  private static void q5(long row, long blockBytes, long from, long to, long out) {
    boolean minimum = blockBytes == 24;
    int zero = minimum ? 0 : 16;
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 5) * blockBytes;
      int high = MEMORY.get(JAVA_INT_UNALIGNED, block + blockBytes - 20) >>> ((i & 31));
      IntVector q =
          IntVector.broadcast(I, high)
              .lanewise(VectorOperators.LSHR, LANE)
              .and(1)
              .lanewise(VectorOperators.LSHL, 4)
              .or(nibbles(block + blockBytes - 16, (i & 31)));
      store(q.sub(zero), half(block), minimum ? half(block + 2) : NONE, out + 4 * i);
    }
  }

  private static void iq4nl(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 5) * 18;
      entries(block + 2, half(block), i & 31, out + 4 * i);
    }
  }

  private static void iq4xs(long row, long from, long to, long out) {
    for (long i = from; i != to; i += LANES) {
      long block = row + (i >>> 8) * 136;
      long g = i >>> 5 & 7;
      int high = unsigned(block + 2 + (g >>> 2)) >> ((g & 3) << 1) & 3;
      int low = unsigned(block + 4 + (g >>> 1)) >> ((g & 1) << 2) & 15;
      float d = half(block) * ((low | high << 4) - 32);
      entries(block + 8 + 16 * g, d, i & 31, out + 4 * i);
    }
  }

  /** A vector of the group of 32 at {@code q}, from element {@code from} on. */
  private static void entries(long q, float d, long from, long out) {
    for (int lane = 0; lane < LANES; lane++) {
      long e = from + lane;
      int level = unsigned(q + (e & 15)) >> (e >>> 4 << 2) & 15;
      Lanes.set(out + 4L * lane, d * Blocks.nonLinear(level));
    }
  }
}
