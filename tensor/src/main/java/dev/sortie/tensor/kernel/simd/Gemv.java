package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Dot products of few rows of x with F32 weight rows, up to the last step: each leaves one vector
 * of partial sums, at {@code sums[row of x, weight row, lane]}, for {@link GemvSums} to finish. A
 * dot product has four vectors of sums in turn, then single vectors go to the first. The order is
 * the same for every number of rows.
 *
 * <p>The k loops end by {@code !=} on purpose, for that is no counted loop to C2: it neither
 * unrolls it nor cuts it in pre-, main and post-loop. Zen 4, one thread, 1024 x 192 in L2: 66 GB/s,
 * with {@code <} on long or int 30; 49152 x 576 from memory: 30, with long 22, with int 17. One
 * weight row a loop body: four fell to 2 GB/s.
 */
final class Gemv {
  private static final VectorSpecies<Float> F = Width.F;
  private static final int LANES = F.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private Gemv() {}

  /** {@code count} weight rows with one row of x. */
  static void one(long x, long w, long sums, long count, long k) {
    long quads = k / (4 * LANES) * (4 * BYTES);
    long vectors = k / LANES * BYTES;
    for (long j = 0; j < count; j++) {
      long row = w + 4 * j * k;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      FloatVector c = FloatVector.zero(F);
      FloatVector d = FloatVector.zero(F);
      for (long o = 0; o != quads; o += 4 * BYTES) {
        a =
            FloatVector.fromMemorySegment(F, MEMORY, row + o, ORDER)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a);
        b =
            FloatVector.fromMemorySegment(F, MEMORY, row + o + BYTES, ORDER)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + BYTES, ORDER), b);
        c =
            FloatVector.fromMemorySegment(F, MEMORY, row + o + 2 * BYTES, ORDER)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 2 * BYTES, ORDER), c);
        d =
            FloatVector.fromMemorySegment(F, MEMORY, row + o + 3 * BYTES, ORDER)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 3 * BYTES, ORDER), d);
      }
      for (long o = quads; o != vectors; o += BYTES) {
        a =
            FloatVector.fromMemorySegment(F, MEMORY, row + o, ORDER)
                .fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a);
      }
      a.add(b).add(c.add(d)).intoMemorySegment(MEMORY, sums + j * BYTES, ORDER);
    }
  }

  /** With two rows of x. */
  static void two(long x, long w, long sums, long count, long k) {
    long quads = k / (4 * LANES) * (4 * BYTES);
    long vectors = k / LANES * BYTES;
    long x1 = x + 4 * k;
    for (long j = 0; j < count; j++) {
      long row = w + 4 * j * k;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector c0 = FloatVector.zero(F);
      FloatVector d0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      FloatVector c1 = FloatVector.zero(F);
      FloatVector d1 = FloatVector.zero(F);
      for (long o = 0; o != quads; o += 4 * BYTES) {
        FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, row + o, ORDER);
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        v = FloatVector.fromMemorySegment(F, MEMORY, row + o + BYTES, ORDER);
        b0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + BYTES, ORDER), b0);
        b1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER), b1);
        v = FloatVector.fromMemorySegment(F, MEMORY, row + o + 2 * BYTES, ORDER);
        c0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 2 * BYTES, ORDER), c0);
        c1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + 2 * BYTES, ORDER), c1);
        v = FloatVector.fromMemorySegment(F, MEMORY, row + o + 3 * BYTES, ORDER);
        d0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 3 * BYTES, ORDER), d0);
        d1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + 3 * BYTES, ORDER), d1);
      }
      for (long o = quads; o != vectors; o += BYTES) {
        FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, row + o, ORDER);
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
      }
      a0.add(b0).add(c0.add(d0)).intoMemorySegment(MEMORY, sums + j * BYTES, ORDER);
      a1.add(b1).add(c1.add(d1)).intoMemorySegment(MEMORY, sums + (count + j) * BYTES, ORDER);
    }
  }

  /** With four rows of x; 16 sums, so only for machines with 32 vector registers. */
  static void four(long x, long w, long sums, long count, long k) {
    long quads = k / (4 * LANES) * (4 * BYTES);
    long vectors = k / LANES * BYTES;
    long x1 = x + 4 * k;
    long x2 = x + 8 * k;
    long x3 = x + 12 * k;
    for (long j = 0; j < count; j++) {
      long row = w + 4 * j * k;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector c0 = FloatVector.zero(F);
      FloatVector d0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      FloatVector c1 = FloatVector.zero(F);
      FloatVector d1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector b2 = FloatVector.zero(F);
      FloatVector c2 = FloatVector.zero(F);
      FloatVector d2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
      FloatVector b3 = FloatVector.zero(F);
      FloatVector c3 = FloatVector.zero(F);
      FloatVector d3 = FloatVector.zero(F);
      for (long o = 0; o != quads; o += 4 * BYTES) {
        FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, row + o, ORDER);
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER), a3);
        v = FloatVector.fromMemorySegment(F, MEMORY, row + o + BYTES, ORDER);
        b0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + BYTES, ORDER), b0);
        b1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + BYTES, ORDER), b1);
        b2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o + BYTES, ORDER), b2);
        b3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o + BYTES, ORDER), b3);
        v = FloatVector.fromMemorySegment(F, MEMORY, row + o + 2 * BYTES, ORDER);
        c0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 2 * BYTES, ORDER), c0);
        c1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + 2 * BYTES, ORDER), c1);
        c2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o + 2 * BYTES, ORDER), c2);
        c3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o + 2 * BYTES, ORDER), c3);
        v = FloatVector.fromMemorySegment(F, MEMORY, row + o + 3 * BYTES, ORDER);
        d0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o + 3 * BYTES, ORDER), d0);
        d1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o + 3 * BYTES, ORDER), d1);
        d2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o + 3 * BYTES, ORDER), d2);
        d3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o + 3 * BYTES, ORDER), d3);
      }
      for (long o = quads; o != vectors; o += BYTES) {
        FloatVector v = FloatVector.fromMemorySegment(F, MEMORY, row + o, ORDER);
        a0 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x + o, ORDER), a0);
        a1 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x1 + o, ORDER), a1);
        a2 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x2 + o, ORDER), a2);
        a3 = v.fma(FloatVector.fromMemorySegment(F, MEMORY, x3 + o, ORDER), a3);
      }
      a0.add(b0).add(c0.add(d0)).intoMemorySegment(MEMORY, sums + j * BYTES, ORDER);
      a1.add(b1).add(c1.add(d1)).intoMemorySegment(MEMORY, sums + (count + j) * BYTES, ORDER);
      a2.add(b2).add(c2.add(d2)).intoMemorySegment(MEMORY, sums + (2 * count + j) * BYTES, ORDER);
      a3.add(b3).add(c3.add(d3)).intoMemorySegment(MEMORY, sums + (3 * count + j) * BYTES, ORDER);
    }
  }
}
