package dev.sortie.tensor.kernel.simd.gemv;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link RowKernel}s for BF16 weights, widened in registers: a BF16 number is the upper half of a
 * float.
 */
final class GemvBf16 {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Integer> I = Width.I;
  private static final VectorSpecies<Short> S = Width.S;
  private static final int LANES = F.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private GemvBf16() {}

  /** One weight row, one row of x. */
  static void one(long x, long w, long wBytes, long sums, long count, long k) {
    long pairs = k / (2 * LANES) * (2 * BYTES);
    boolean odd = k / LANES % 2 != 0;
    long x0 = x & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + wBytes * j) & ADDRESS;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      for (long at = 0; at != pairs; at += 2 * BYTES) {
        long o = at & OFFSET;
        FloatVector v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        a = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a);
        v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2 + BYTES / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        b = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b);
      }
      if (odd) {
        long o = pairs & OFFSET;
        FloatVector v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        a = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a);
      }
      a.add(b).intoMemorySegment(MEMORY, sums + j * BYTES, ORDER);
    }
  }

  /** One weight row, two rows of x. */
  static void two(long x, long w, long wBytes, long sums, long count, long k) {
    long pairs = k / (2 * LANES) * (2 * BYTES);
    boolean odd = k / LANES % 2 != 0;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + wBytes * j) & ADDRESS;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      for (long at = 0; at != pairs; at += 2 * BYTES) {
        long o = at & OFFSET;
        FloatVector v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2 + BYTES / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        b0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b0);
        b1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER), b1);
      }
      if (odd) {
        long o = pairs & OFFSET;
        FloatVector v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
      }
      a0.add(b0).intoMemorySegment(MEMORY, sums + 2 * j * BYTES, ORDER);
      a1.add(b1).intoMemorySegment(MEMORY, sums + (2 * j + 1) * BYTES, ORDER);
    }
  }

  /** One weight row, four rows of x: 8 sums, which 16 vector registers hold. */
  static void four(long x, long w, long wBytes, long sums, long count, long k) {
    long pairs = k / (2 * LANES) * (2 * BYTES);
    boolean odd = k / LANES % 2 != 0;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    long x2 = (x + 8 * k) & ADDRESS;
    long x3 = (x + 12 * k) & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + wBytes * j) & ADDRESS;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector b2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
      FloatVector b3 = FloatVector.zero(F);
      for (long at = 0; at != pairs; at += 2 * BYTES) {
        long o = at & OFFSET;
        FloatVector v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER), a3);
        v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2 + BYTES / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        b0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b0);
        b1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER), b1);
        b2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o + BYTES, ORDER), b2);
        b3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o + BYTES, ORDER), b3);
      }
      if (odd) {
        long o = pairs & OFFSET;
        FloatVector v =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER), a3);
      }
      a0.add(b0).intoMemorySegment(MEMORY, sums + 4 * j * BYTES, ORDER);
      a1.add(b1).intoMemorySegment(MEMORY, sums + (4 * j + 1) * BYTES, ORDER);
      a2.add(b2).intoMemorySegment(MEMORY, sums + (4 * j + 2) * BYTES, ORDER);
      a3.add(b3).intoMemorySegment(MEMORY, sums + (4 * j + 3) * BYTES, ORDER);
    }
  }

  /**
   * Two weight rows, four rows of x; {@code count} is even. Needs 32 vector registers. Rows lie
   * half the count apart, so that each is a long stream to the prefetcher.
   */
  static void pairs(long x, long w, long wBytes, long sums, long count, long k) {
    long pairs = k / (2 * LANES) * (2 * BYTES);
    boolean odd = k / LANES % 2 != 0;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    long x2 = (x + 8 * k) & ADDRESS;
    long x3 = (x + 12 * k) & ADDRESS;
    long half = count / 2;
    for (long j = 0; j < half; j++) {
      long row0 = (w + wBytes * j) & ADDRESS;
      long row1 = (w + wBytes * (j + half)) & ADDRESS;
      FloatVector a00 = FloatVector.zero(F);
      FloatVector b00 = FloatVector.zero(F);
      FloatVector a01 = FloatVector.zero(F);
      FloatVector b01 = FloatVector.zero(F);
      FloatVector a02 = FloatVector.zero(F);
      FloatVector b02 = FloatVector.zero(F);
      FloatVector a03 = FloatVector.zero(F);
      FloatVector b03 = FloatVector.zero(F);
      FloatVector a10 = FloatVector.zero(F);
      FloatVector b10 = FloatVector.zero(F);
      FloatVector a11 = FloatVector.zero(F);
      FloatVector b11 = FloatVector.zero(F);
      FloatVector a12 = FloatVector.zero(F);
      FloatVector b12 = FloatVector.zero(F);
      FloatVector a13 = FloatVector.zero(F);
      FloatVector b13 = FloatVector.zero(F);
      for (long at = 0; at != pairs; at += 2 * BYTES) {
        long o = at & OFFSET;
        FloatVector v0 =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row0 + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        FloatVector v1 =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row1 + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        FloatVector u = FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER);
        a00 = v0.fma(u, a00);
        a10 = v1.fma(u, a10);
        u = FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER);
        a01 = v0.fma(u, a01);
        a11 = v1.fma(u, a11);
        u = FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER);
        a02 = v0.fma(u, a02);
        a12 = v1.fma(u, a12);
        u = FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER);
        a03 = v0.fma(u, a03);
        a13 = v1.fma(u, a13);
        v0 =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row0 + o / 2 + BYTES / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        v1 =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row1 + o / 2 + BYTES / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        u = FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER);
        b00 = v0.fma(u, b00);
        b10 = v1.fma(u, b10);
        u = FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER);
        b01 = v0.fma(u, b01);
        b11 = v1.fma(u, b11);
        u = FloatVector.fromMemorySegment(F, MEMORY, x2 + o + BYTES, ORDER);
        b02 = v0.fma(u, b02);
        b12 = v1.fma(u, b12);
        u = FloatVector.fromMemorySegment(F, MEMORY, x3 + o + BYTES, ORDER);
        b03 = v0.fma(u, b03);
        b13 = v1.fma(u, b13);
      }
      if (odd) {
        long o = pairs & OFFSET;
        FloatVector v0 =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row0 + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        FloatVector v1 =
            ((IntVector)
                    ShortVector.fromMemorySegment(S, MEMORY, row1 + o / 2, ORDER)
                        .convertShape(VectorOperators.S2I, I, 0))
                .lanewise(VectorOperators.LSHL, 16)
                .reinterpretAsFloats();
        FloatVector u = FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER);
        a00 = v0.fma(u, a00);
        a10 = v1.fma(u, a10);
        u = FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER);
        a01 = v0.fma(u, a01);
        a11 = v1.fma(u, a11);
        u = FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER);
        a02 = v0.fma(u, a02);
        a12 = v1.fma(u, a12);
        u = FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER);
        a03 = v0.fma(u, a03);
        a13 = v1.fma(u, a13);
      }
      a00.add(b00).intoMemorySegment(MEMORY, sums + 4 * j * BYTES, ORDER);
      a01.add(b01).intoMemorySegment(MEMORY, sums + (4 * j + 1) * BYTES, ORDER);
      a02.add(b02).intoMemorySegment(MEMORY, sums + (4 * j + 2) * BYTES, ORDER);
      a03.add(b03).intoMemorySegment(MEMORY, sums + (4 * j + 3) * BYTES, ORDER);
      a10.add(b10).intoMemorySegment(MEMORY, sums + 4 * (j + half) * BYTES, ORDER);
      a11.add(b11).intoMemorySegment(MEMORY, sums + (4 * (j + half) + 1) * BYTES, ORDER);
      a12.add(b12).intoMemorySegment(MEMORY, sums + (4 * (j + half) + 2) * BYTES, ORDER);
      a13.add(b13).intoMemorySegment(MEMORY, sums + (4 * (j + half) + 3) * BYTES, ORDER);
    }
  }
}
