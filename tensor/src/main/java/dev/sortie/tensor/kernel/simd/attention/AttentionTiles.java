package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.ADDRESS;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static dev.sortie.tensor.kernel.simd.vector.Memory.OFFSET;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of attention over a tile of {@value #ROWS} query rows that share one kv head, for few
 * queries. A tile is {@code [4, size]}, row after row, {@code size} the head size rounded up to
 * whole vectors and padded with zeros. Scores are {@code [4, pitch]}. In each loop the sum of a row
 * takes the same steps in the same order whatever stands in the other rows.
 */
final class AttentionTiles {
  static final int ROWS = 4;

  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();
  private static final long VECTOR = 4 * LANES;

  /** Half of the lanes, and a quarter. */
  private static final int HALF = F.length() / 2;

  private static final int QUARTER = F.length() / 4;

  private static final VectorShuffle<Float> BY_HALF = exchanged(HALF);
  private static final VectorShuffle<Float> BY_QUARTER = exchanged(QUARTER);
  private static final VectorShuffle<Float> BY_2 = exchanged(2);
  private static final VectorShuffle<Float> BY_1 = exchanged(1);

  /** The lanes in the upper half, and those in the upper part of each half. */
  private static final VectorMask<Float> UPPER = lanes(HALF);

  private static final VectorMask<Float> UPPER_OF_HALF = lanes(QUARTER);

  /** To the first lanes: four sums from where {@link #scoresByRow} has them. */
  private static final VectorShuffle<Float> FOUR =
      VectorShuffle.fromOp(F, i -> (i & 1) * HALF + (i >> 1 & 1) * QUARTER);

  private AttentionTiles() {}

  /** Neighbours at a distance that is a power of two change places. */
  private static VectorShuffle<Float> exchanged(int distance) {
    return VectorShuffle.fromOp(F, i -> (i ^ distance) % F.length());
  }

  /** The lanes whose number has this bit. */
  private static VectorMask<Float> lanes(int bit) {
    boolean[] set = new boolean[F.length()];
    for (int i = 0; i < set.length; i++) {
      set[i] = (i & bit) != 0;
    }
    return VectorMask.fromArray(F, set, 0);
  }

  /**
   * {@code s[j] = scale Σ_d q[d] k[j,d]} of one row for keys {@code [from, to)}, elements in the
   * lanes: keys are read where they lie. For few rows.
   *
   * <p>Lanes are summed up by halving, as {@link Lanes#sum} does it. Four keys at a time share the
   * steps: sums of halves leave room for those of another key.
   *
   * @param stride bytes from one key to the next
   */
  static void scoresByRow(
      long q, int size, long k, long stride, long from, long to, float scale, long s) {
    long row = 4L * size;
    long x0 = q & ADDRESS;
    long j = from;
    for (; j < to - 3; j += 4) {
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      FloatVector c = FloatVector.zero(F);
      FloatVector d = FloatVector.zero(F);
      long key = k + j * stride;
      long k0 = key & ADDRESS;
      long k1 = (key + stride) & ADDRESS;
      long k2 = (key + 2 * stride) & ADDRESS;
      long k3 = (key + 3 * stride) & ADDRESS;
      for (long e = 0; e != row; e += VECTOR) {
        long o = e & OFFSET;
        FloatVector x = FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER);
        a = x.fma(FloatVector.fromMemorySegment(F, MEMORY, k0 + o, ORDER), a);
        b = x.fma(FloatVector.fromMemorySegment(F, MEMORY, k1 + o, ORDER), b);
        c = x.fma(FloatVector.fromMemorySegment(F, MEMORY, k2 + o, ORDER), c);
        d = x.fma(FloatVector.fromMemorySegment(F, MEMORY, k3 + o, ORDER), d);
      }
      a = a.rearrange(BY_HALF).add(a);
      b = b.rearrange(BY_HALF).add(b);
      c = c.rearrange(BY_HALF).add(c);
      d = d.rearrange(BY_HALF).add(d);
      FloatVector ab = a.blend(b, UPPER);
      FloatVector cd = c.blend(d, UPPER);
      ab = ab.rearrange(BY_QUARTER).add(ab);
      cd = cd.rearrange(BY_QUARTER).add(cd);
      FloatVector all = ab.blend(cd, UPPER_OF_HALF);
      if (LANES >= 16) {
        all = all.rearrange(BY_2).add(all);
      }
      if (LANES >= 8) {
        all = all.rearrange(BY_1).add(all);
      }
      // As two longs: if one loop stored vectors of 128 bits, C2 would prepare all others for both
      // widths, where it does not know the width itself, and so leave objects in them.
      LongVector four = all.rearrange(FOUR).mul(scale).reinterpretAsLongs();
      long out = (s + 4 * j) & ADDRESS;
      MEMORY.set(JAVA_LONG_UNALIGNED, out, four.lane(0));
      MEMORY.set(JAVA_LONG_UNALIGNED, out + 8, four.lane(1));
    }
    scoresOfRest(q, size, k, stride, j, to, scale, s);
  }

  /** {@link #scoresByRow} of less than four keys. */
  private static void scoresOfRest(
      long q, int size, long k, long stride, long from, long to, float scale, long s) {
    long row = 4L * size;
    long x0 = q & ADDRESS;
    for (long j = from; j < to; j += 2) {
      long next = Math.min(j + 1, to - 1);
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      long k0 = (k + j * stride) & ADDRESS;
      long k1 = (k + next * stride) & ADDRESS;
      for (long e = 0; e != row; e += VECTOR) {
        long o = e & OFFSET;
        FloatVector x = FloatVector.fromMemorySegment(F, MEMORY, x0 + o, ORDER);
        a = x.fma(FloatVector.fromMemorySegment(F, MEMORY, k0 + o, ORDER), a);
        b = x.fma(FloatVector.fromMemorySegment(F, MEMORY, k1 + o, ORDER), b);
      }
      // Lanes.sum, written out: here C2 may leave a call, and so two objects a key.
      if (LANES >= 16) {
        a = a.add(a.rearrange(Lanes.BY_8));
        b = b.add(b.rearrange(Lanes.BY_8));
      }
      if (LANES >= 8) {
        a = a.add(a.rearrange(Lanes.BY_4));
        b = b.add(b.rearrange(Lanes.BY_4));
      }
      if (LANES >= 4) {
        a = a.add(a.rearrange(Lanes.BY_2));
        b = b.add(b.rearrange(Lanes.BY_2));
      }
      set(s + 4 * j, a.add(a.rearrange(Lanes.BY_1)).lane(0) * scale);
      set(s + 4 * next, b.add(b.rearrange(Lanes.BY_1)).lane(0) * scale);
    }
  }

  /** {@code out[:] += Σ_j p[j] v[j,:]} of one row, with the bits of {@link #weightedSum}. */
  static void weightedSumOfRow(long p, long v, long stride, long keys, int size, long out) {
    long row = 4L * size;
    long d = 0;
    for (; d <= row - 4 * VECTOR; d += 4 * VECTOR) {
      FloatVector a0 = FloatVector.fromMemorySegment(F, MEMORY, out + d, ORDER);
      FloatVector a1 = FloatVector.fromMemorySegment(F, MEMORY, out + d + VECTOR, ORDER);
      FloatVector a2 = FloatVector.fromMemorySegment(F, MEMORY, out + d + 2 * VECTOR, ORDER);
      FloatVector a3 = FloatVector.fromMemorySegment(F, MEMORY, out + d + 3 * VECTOR, ORDER);
      long at = v + d;
      for (long j = p; j < p + 4 * keys; j += 4) {
        FloatVector x = FloatVector.broadcast(F, get(j));
        a0 = x.fma(FloatVector.fromMemorySegment(F, MEMORY, at, ORDER), a0);
        a1 = x.fma(FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER), a1);
        a2 = x.fma(FloatVector.fromMemorySegment(F, MEMORY, at + 2 * VECTOR, ORDER), a2);
        a3 = x.fma(FloatVector.fromMemorySegment(F, MEMORY, at + 3 * VECTOR, ORDER), a3);
        at += stride;
      }
      a0.intoMemorySegment(MEMORY, out + d, ORDER);
      a1.intoMemorySegment(MEMORY, out + d + VECTOR, ORDER);
      a2.intoMemorySegment(MEMORY, out + d + 2 * VECTOR, ORDER);
      a3.intoMemorySegment(MEMORY, out + d + 3 * VECTOR, ORDER);
    }
    for (; d < row; d += VECTOR) {
      FloatVector a = FloatVector.fromMemorySegment(F, MEMORY, out + d, ORDER);
      long at = v + d;
      for (long j = p; j < p + 4 * keys; j += 4) {
        a =
            FloatVector.broadcast(F, get(j))
                .fma(FloatVector.fromMemorySegment(F, MEMORY, at, ORDER), a);
        at += stride;
      }
      a.intoMemorySegment(MEMORY, out + d, ORDER);
    }
  }

  /**
   * {@code out[r,:] += Σ_j p[r,j] v[j,:]}, keys ascending, one after the other: so keys may come in
   * several calls.
   */
  static void weightedSum(long p, long pitch, long v, long stride, long keys, int size, long out) {
    long row = 4L * size;
    long four = Width.MANY_REGISTERS ? row / (4 * VECTOR) * (4 * VECTOR) : 0;
    weightedSumByFour(p, pitch, v, stride, keys, row, four, out);
    for (long d = four; d < row; ) {
      long at = v + d;
      FloatVector a0 = FloatVector.fromMemorySegment(F, MEMORY, out + d, ORDER);
      FloatVector a1 = FloatVector.fromMemorySegment(F, MEMORY, out + row + d, ORDER);
      FloatVector a2 = FloatVector.fromMemorySegment(F, MEMORY, out + 2 * row + d, ORDER);
      FloatVector a3 = FloatVector.fromMemorySegment(F, MEMORY, out + 3 * row + d, ORDER);
      if (d + 2 * VECTOR <= row) {
        FloatVector b0 = FloatVector.fromMemorySegment(F, MEMORY, out + d + VECTOR, ORDER);
        FloatVector b1 = FloatVector.fromMemorySegment(F, MEMORY, out + row + d + VECTOR, ORDER);
        FloatVector b2 =
            FloatVector.fromMemorySegment(F, MEMORY, out + 2 * row + d + VECTOR, ORDER);
        FloatVector b3 =
            FloatVector.fromMemorySegment(F, MEMORY, out + 3 * row + d + VECTOR, ORDER);
        for (long j = p; j < p + 4 * keys; j += 4) {
          FloatVector va = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
          FloatVector vb = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER);
          FloatVector x = FloatVector.broadcast(F, get(j));
          a0 = x.fma(va, a0);
          b0 = x.fma(vb, b0);
          x = FloatVector.broadcast(F, get(j + 4 * pitch));
          a1 = x.fma(va, a1);
          b1 = x.fma(vb, b1);
          x = FloatVector.broadcast(F, get(j + 8 * pitch));
          a2 = x.fma(va, a2);
          b2 = x.fma(vb, b2);
          x = FloatVector.broadcast(F, get(j + 12 * pitch));
          a3 = x.fma(va, a3);
          b3 = x.fma(vb, b3);
          at += stride;
        }
        b0.intoMemorySegment(MEMORY, out + d + VECTOR, ORDER);
        b1.intoMemorySegment(MEMORY, out + row + d + VECTOR, ORDER);
        b2.intoMemorySegment(MEMORY, out + 2 * row + d + VECTOR, ORDER);
        b3.intoMemorySegment(MEMORY, out + 3 * row + d + VECTOR, ORDER);
      } else {
        for (long j = p; j < p + 4 * keys; j += 4) {
          FloatVector va = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
          a0 = FloatVector.broadcast(F, get(j)).fma(va, a0);
          a1 = FloatVector.broadcast(F, get(j + 4 * pitch)).fma(va, a1);
          a2 = FloatVector.broadcast(F, get(j + 8 * pitch)).fma(va, a2);
          a3 = FloatVector.broadcast(F, get(j + 12 * pitch)).fma(va, a3);
          at += stride;
        }
      }
      a0.intoMemorySegment(MEMORY, out + d, ORDER);
      a1.intoMemorySegment(MEMORY, out + row + d, ORDER);
      a2.intoMemorySegment(MEMORY, out + 2 * row + d, ORDER);
      a3.intoMemorySegment(MEMORY, out + 3 * row + d, ORDER);
      d += d + 2 * VECTOR <= row ? 2 * VECTOR : VECTOR;
    }
  }

  /**
   * The first {@code end} bytes of each row, four vectors at a time: 16 sums, which need 32 vector
   * registers. Each value is then read at once from its beginning to its end: a layer's attention
   * of 8 texts of 171 tokens, head size 64, Zen 5, from memory 81 us, with two vectors at a time
   * 92.
   */
  private static void weightedSumByFour(
      long p, long pitch, long v, long stride, long keys, long row, long end, long out) {
    for (long d = 0; d < end; d += 4 * VECTOR) {
      long at = v + d;
      long o0 = out + d;
      long o1 = out + row + d;
      long o2 = out + 2 * row + d;
      long o3 = out + 3 * row + d;
      FloatVector a0 = FloatVector.fromMemorySegment(F, MEMORY, o0, ORDER);
      FloatVector b0 = FloatVector.fromMemorySegment(F, MEMORY, o0 + VECTOR, ORDER);
      FloatVector c0 = FloatVector.fromMemorySegment(F, MEMORY, o0 + 2 * VECTOR, ORDER);
      FloatVector d0 = FloatVector.fromMemorySegment(F, MEMORY, o0 + 3 * VECTOR, ORDER);
      FloatVector a1 = FloatVector.fromMemorySegment(F, MEMORY, o1, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F, MEMORY, o1 + VECTOR, ORDER);
      FloatVector c1 = FloatVector.fromMemorySegment(F, MEMORY, o1 + 2 * VECTOR, ORDER);
      FloatVector d1 = FloatVector.fromMemorySegment(F, MEMORY, o1 + 3 * VECTOR, ORDER);
      FloatVector a2 = FloatVector.fromMemorySegment(F, MEMORY, o2, ORDER);
      FloatVector b2 = FloatVector.fromMemorySegment(F, MEMORY, o2 + VECTOR, ORDER);
      FloatVector c2 = FloatVector.fromMemorySegment(F, MEMORY, o2 + 2 * VECTOR, ORDER);
      FloatVector d2 = FloatVector.fromMemorySegment(F, MEMORY, o2 + 3 * VECTOR, ORDER);
      FloatVector a3 = FloatVector.fromMemorySegment(F, MEMORY, o3, ORDER);
      FloatVector b3 = FloatVector.fromMemorySegment(F, MEMORY, o3 + VECTOR, ORDER);
      FloatVector c3 = FloatVector.fromMemorySegment(F, MEMORY, o3 + 2 * VECTOR, ORDER);
      FloatVector d3 = FloatVector.fromMemorySegment(F, MEMORY, o3 + 3 * VECTOR, ORDER);
      for (long j = p; j < p + 4 * keys; j += 4) {
        // Before the vectors: after them C2, which inlines up to 18,000 nodes, left a call in the
        // last of these reads, and with it all sums in memory. 1,500 tokens of SmolLM2 in Q4_1 came
        // at 176 instead of 190 tokens/s (Zen 5).
        float x0 = get(j);
        float x1 = get(j + 4 * pitch);
        float x2 = get(j + 8 * pitch);
        float x3 = get(j + 12 * pitch);
        FloatVector va = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
        FloatVector vb = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER);
        FloatVector vc = FloatVector.fromMemorySegment(F, MEMORY, at + 2 * VECTOR, ORDER);
        FloatVector vd = FloatVector.fromMemorySegment(F, MEMORY, at + 3 * VECTOR, ORDER);
        FloatVector x = FloatVector.broadcast(F, x0);
        a0 = x.fma(va, a0);
        b0 = x.fma(vb, b0);
        c0 = x.fma(vc, c0);
        d0 = x.fma(vd, d0);
        x = FloatVector.broadcast(F, x1);
        a1 = x.fma(va, a1);
        b1 = x.fma(vb, b1);
        c1 = x.fma(vc, c1);
        d1 = x.fma(vd, d1);
        x = FloatVector.broadcast(F, x2);
        a2 = x.fma(va, a2);
        b2 = x.fma(vb, b2);
        c2 = x.fma(vc, c2);
        d2 = x.fma(vd, d2);
        x = FloatVector.broadcast(F, x3);
        a3 = x.fma(va, a3);
        b3 = x.fma(vb, b3);
        c3 = x.fma(vc, c3);
        d3 = x.fma(vd, d3);
        at += stride;
      }
      a0.intoMemorySegment(MEMORY, o0, ORDER);
      b0.intoMemorySegment(MEMORY, o0 + VECTOR, ORDER);
      c0.intoMemorySegment(MEMORY, o0 + 2 * VECTOR, ORDER);
      d0.intoMemorySegment(MEMORY, o0 + 3 * VECTOR, ORDER);
      a1.intoMemorySegment(MEMORY, o1, ORDER);
      b1.intoMemorySegment(MEMORY, o1 + VECTOR, ORDER);
      c1.intoMemorySegment(MEMORY, o1 + 2 * VECTOR, ORDER);
      d1.intoMemorySegment(MEMORY, o1 + 3 * VECTOR, ORDER);
      a2.intoMemorySegment(MEMORY, o2, ORDER);
      b2.intoMemorySegment(MEMORY, o2 + VECTOR, ORDER);
      c2.intoMemorySegment(MEMORY, o2 + 2 * VECTOR, ORDER);
      d2.intoMemorySegment(MEMORY, o2 + 3 * VECTOR, ORDER);
      a3.intoMemorySegment(MEMORY, o3, ORDER);
      b3.intoMemorySegment(MEMORY, o3 + VECTOR, ORDER);
      c3.intoMemorySegment(MEMORY, o3 + 2 * VECTOR, ORDER);
      d3.intoMemorySegment(MEMORY, o3 + 3 * VECTOR, ORDER);
    }
  }
}
