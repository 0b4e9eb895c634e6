package dev.sortie.tensor.kernel.simd.gemv;

import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link RowKernel}s for Q8_0 weights and vectors of 512 bits: a block is a scale and two vectors,
 * which go to the two sums.
 */
final class GemvQ80 {
  private static final VectorSpecies<Float> F = Width.F;
  private static final VectorSpecies<Byte> B = Width.B;
  private static final long BYTES = 4L * Width.LANES;

  /** Bytes of a block. */
  private static final long BLOCK = 34;

  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private GemvQ80() {}

  /** One weight row, one row of x. */
  static void one(long x, long w, long rowBytes, long sums, long count, long k) {
    long end = k / 32 * BLOCK;
    long x0 = x & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + rowBytes * j) & ADDRESS;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      long xo = 0;
      for (long wo = 0; wo != end; wo += BLOCK) {
        long p = row + (wo & OFFSET);
        long o = xo & OFFSET;
        FloatVector d =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p)));
        FloatVector v =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d);
        a = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a);
        v =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d);
        b = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b);
        xo += 2 * BYTES;
      }
      a.add(b).intoMemorySegment(MEMORY, sums + j * BYTES, ORDER);
    }
  }

  /** One weight row, two rows of x. */
  static void two(long x, long w, long rowBytes, long sums, long count, long k) {
    long end = k / 32 * BLOCK;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + rowBytes * j) & ADDRESS;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      long xo = 0;
      for (long wo = 0; wo != end; wo += BLOCK) {
        long p = row + (wo & OFFSET);
        long o = xo & OFFSET;
        FloatVector d =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p)));
        FloatVector v =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d);
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        v =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d);
        b0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b0);
        b1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER), b1);
        xo += 2 * BYTES;
      }
      a0.add(b0).intoMemorySegment(MEMORY, sums + 2 * j * BYTES, ORDER);
      a1.add(b1).intoMemorySegment(MEMORY, sums + (2 * j + 1) * BYTES, ORDER);
    }
  }

  /** One weight row, four rows of x. */
  static void four(long x, long w, long rowBytes, long sums, long count, long k) {
    long end = k / 32 * BLOCK;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    long x2 = (x + 8 * k) & ADDRESS;
    long x3 = (x + 12 * k) & ADDRESS;
    for (long j = 0; j < count; j++) {
      long row = (w + rowBytes * j) & ADDRESS;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector b2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
      FloatVector b3 = FloatVector.zero(F);
      long xo = 0;
      for (long wo = 0; wo != end; wo += BLOCK) {
        long p = row + (wo & OFFSET);
        long o = xo & OFFSET;
        FloatVector d =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p)));
        FloatVector v =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d);
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER), a3);
        v =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d);
        b0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER), b0);
        b1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER), b1);
        b2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o + BYTES, ORDER), b2);
        b3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o + BYTES, ORDER), b3);
        xo += 2 * BYTES;
      }
      a0.add(b0).intoMemorySegment(MEMORY, sums + 4 * j * BYTES, ORDER);
      a1.add(b1).intoMemorySegment(MEMORY, sums + (4 * j + 1) * BYTES, ORDER);
      a2.add(b2).intoMemorySegment(MEMORY, sums + (4 * j + 2) * BYTES, ORDER);
      a3.add(b3).intoMemorySegment(MEMORY, sums + (4 * j + 3) * BYTES, ORDER);
    }
  }

  /**
   * Two weight rows, four rows of x; {@code count} is even. Rows lie half the count apart, so that
   * each is a long stream to the prefetcher.
   */
  static void pairs(long x, long w, long rowBytes, long sums, long count, long k) {
    long end = k / 32 * BLOCK;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    long x2 = (x + 8 * k) & ADDRESS;
    long x3 = (x + 12 * k) & ADDRESS;
    long half = count / 2;
    for (long j = 0; j < half; j++) {
      long row0 = (w + rowBytes * j) & ADDRESS;
      long row1 = (w + rowBytes * (j + half)) & ADDRESS;
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
      long xo = 0;
      for (long wo = 0; wo != end; wo += BLOCK) {
        long p0 = row0 + (wo & OFFSET);
        long p1 = row1 + (wo & OFFSET);
        long o = xo & OFFSET;
        FloatVector d0 =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p0)));
        FloatVector d1 =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p1)));
        FloatVector v0 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p0 + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d0);
        FloatVector v1 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p1 + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d1);
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
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p0 + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d0);
        v1 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p1 + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d1);
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
        xo += 2 * BYTES;
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

  /** Two weight rows, three rows of x; as {@link #pairs}. */
  static void pairsOfThree(long x, long w, long rowBytes, long sums, long count, long k) {
    long end = k / 32 * BLOCK;
    long x0 = x & ADDRESS;
    long x1 = (x + 4 * k) & ADDRESS;
    long x2 = (x + 8 * k) & ADDRESS;
    long half = count / 2;
    for (long j = 0; j < half; j++) {
      long row0 = (w + rowBytes * j) & ADDRESS;
      long row1 = (w + rowBytes * (j + half)) & ADDRESS;
      FloatVector a00 = FloatVector.zero(F);
      FloatVector b00 = FloatVector.zero(F);
      FloatVector a01 = FloatVector.zero(F);
      FloatVector b01 = FloatVector.zero(F);
      FloatVector a02 = FloatVector.zero(F);
      FloatVector b02 = FloatVector.zero(F);
      FloatVector a10 = FloatVector.zero(F);
      FloatVector b10 = FloatVector.zero(F);
      FloatVector a11 = FloatVector.zero(F);
      FloatVector b11 = FloatVector.zero(F);
      FloatVector a12 = FloatVector.zero(F);
      FloatVector b12 = FloatVector.zero(F);
      long xo = 0;
      for (long wo = 0; wo != end; wo += BLOCK) {
        long p0 = row0 + (wo & OFFSET);
        long p1 = row1 + (wo & OFFSET);
        long o = xo & OFFSET;
        FloatVector d0 =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p0)));
        FloatVector d1 =
            FloatVector.broadcast(F, Float.float16ToFloat(MEMORY.get(JAVA_SHORT_UNALIGNED, p1)));
        FloatVector v0 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p0 + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d0);
        FloatVector v1 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p1 + 2, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d1);
        FloatVector u = FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER);
        a00 = v0.fma(u, a00);
        a10 = v1.fma(u, a10);
        u = FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER);
        a01 = v0.fma(u, a01);
        a11 = v1.fma(u, a11);
        u = FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER);
        a02 = v0.fma(u, a02);
        a12 = v1.fma(u, a12);
        v0 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p0 + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d0);
        v1 =
            ((FloatVector)
                    ByteVector.fromMemorySegment(B, MEMORY, p1 + 18, ORDER)
                        .convertShape(VectorOperators.B2F, F, 0))
                .mul(d1);
        u = FloatVector.fromMemorySegment(F, MEMORY, x0 + o + BYTES, ORDER);
        b00 = v0.fma(u, b00);
        b10 = v1.fma(u, b10);
        u = FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER);
        b01 = v0.fma(u, b01);
        b11 = v1.fma(u, b11);
        u = FloatVector.fromMemorySegment(F, MEMORY, x2 + o + BYTES, ORDER);
        b02 = v0.fma(u, b02);
        b12 = v1.fma(u, b12);
        xo += 2 * BYTES;
      }
      a00.add(b00).intoMemorySegment(MEMORY, sums + 3 * j * BYTES, ORDER);
      a01.add(b01).intoMemorySegment(MEMORY, sums + (3 * j + 1) * BYTES, ORDER);
      a02.add(b02).intoMemorySegment(MEMORY, sums + (3 * j + 2) * BYTES, ORDER);
      a10.add(b10).intoMemorySegment(MEMORY, sums + 3 * (j + half) * BYTES, ORDER);
      a11.add(b11).intoMemorySegment(MEMORY, sums + (3 * (j + half) + 1) * BYTES, ORDER);
      a12.add(b12).intoMemorySegment(MEMORY, sums + (3 * (j + half) + 2) * BYTES, ORDER);
    }
  }
}
