package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.Lanes.get;
import static dev.sortie.tensor.kernel.simd.Lanes.set;
import static dev.sortie.tensor.kernel.simd.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of attention over a tile of {@value #ROWS} query rows that share one kv head. A tile is
 * {@code [4, size]}, row after row, {@code size} the head size rounded up to whole vectors and
 * padded with zeros. Scores are {@code [4, pitch]}. In each loop the sum of a row takes the same
 * steps in the same order whatever stands in the other rows.
 */
final class AttentionTiles {
  static final int ROWS = 4;

  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();
  private static final long VECTOR = 4 * LANES;

  private AttentionTiles() {}

  /**
   * {@code s[r,j] = scale Σ_d q[r,d] kt[d,j]}: keys lie in the lanes, so nothing is summed across
   * lanes. For many rows.
   *
   * @param kt keys transposed, {@code [size, pitch]}
   * @param keys number of keys, rounded up to {@code 2 * LANES} here
   */
  static void scoresByKey(
      long q, int size, long kt, long pitch, long keys, int dims, float scale, long s) {
    long q1 = q + 4L * size;
    long q2 = q1 + 4L * size;
    long q3 = q2 + 4L * size;
    for (long j = 0; j < keys; j += 2 * LANES) {
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector b2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
      FloatVector b3 = FloatVector.zero(F);
      long at = kt + 4 * j;
      for (long d = 0; d < 4L * dims; d += 4) {
        FloatVector ka = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
        FloatVector kb = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER);
        FloatVector x = FloatVector.broadcast(F, get(q + d));
        a0 = x.fma(ka, a0);
        b0 = x.fma(kb, b0);
        x = FloatVector.broadcast(F, get(q1 + d));
        a1 = x.fma(ka, a1);
        b1 = x.fma(kb, b1);
        x = FloatVector.broadcast(F, get(q2 + d));
        a2 = x.fma(ka, a2);
        b2 = x.fma(kb, b2);
        x = FloatVector.broadcast(F, get(q3 + d));
        a3 = x.fma(ka, a3);
        b3 = x.fma(kb, b3);
        at += 4 * pitch;
      }
      long to = s + 4 * j;
      a0.mul(scale).intoMemorySegment(MEMORY, to, ORDER);
      b0.mul(scale).intoMemorySegment(MEMORY, to + VECTOR, ORDER);
      a1.mul(scale).intoMemorySegment(MEMORY, to + 4 * pitch, ORDER);
      b1.mul(scale).intoMemorySegment(MEMORY, to + 4 * pitch + VECTOR, ORDER);
      a2.mul(scale).intoMemorySegment(MEMORY, to + 8 * pitch, ORDER);
      b2.mul(scale).intoMemorySegment(MEMORY, to + 8 * pitch + VECTOR, ORDER);
      a3.mul(scale).intoMemorySegment(MEMORY, to + 12 * pitch, ORDER);
      b3.mul(scale).intoMemorySegment(MEMORY, to + 12 * pitch + VECTOR, ORDER);
    }
  }

  /**
   * {@code s[j] = scale Σ_d q[d] k[j,d]} of one row for keys {@code [from, to)}, elements in the
   * lanes: keys are read where they lie. For few rows.
   *
   * @param stride bytes from one key to the next
   */
  static void scoresByRow(
      long q, int size, long k, long stride, long from, long to, float scale, long s) {
    for (long j = from; j < to; j += 2) {
      long next = Math.min(j + 1, to - 1);
      FloatVector a = FloatVector.zero(F);
      FloatVector b = FloatVector.zero(F);
      long keyA = k + j * stride;
      long keyB = k + next * stride;
      for (long d = 0; d < 4L * size; d += VECTOR) {
        FloatVector x = FloatVector.fromMemorySegment(F, MEMORY, q + d, ORDER);
        a = x.fma(FloatVector.fromMemorySegment(F, MEMORY, keyA + d, ORDER), a);
        b = x.fma(FloatVector.fromMemorySegment(F, MEMORY, keyB + d, ORDER), b);
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

  /** {@code out[:] = Σ_j p[j] v[j,:]} of one row, with the bits of {@link #weightedSum}. */
  static void weightedSumOfRow(long p, long v, long stride, long keys, int size, long out) {
    long row = 4L * size;
    long d = 0;
    for (; d <= row - 4 * VECTOR; d += 4 * VECTOR) {
      FloatVector a0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
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
      FloatVector a = FloatVector.zero(F);
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

  /** {@code out[r,:] = Σ_j p[r,j] v[j,:]}, keys ascending. */
  static void weightedSum(long p, long pitch, long v, long stride, long keys, int size, long out) {
    long row = 4L * size;
    for (long d = 0; d < row; ) {
      long at = v + d;
      FloatVector a0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
      if (d + 2 * VECTOR <= row) {
        FloatVector b0 = FloatVector.zero(F);
        FloatVector b1 = FloatVector.zero(F);
        FloatVector b2 = FloatVector.zero(F);
        FloatVector b3 = FloatVector.zero(F);
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

  /** {@code g[j,:] += Σ_r p[r,j] x[r,:]}, rows ascending; {@code g} is {@code [keys, size]}. */
  static void outerAdd(long p, long pitch, long x, long keys, int size, long g) {
    long row = 4L * size;
    for (long d = 0; d < row; d += VECTOR) {
      FloatVector x0 = FloatVector.fromMemorySegment(F, MEMORY, x + d, ORDER);
      FloatVector x1 = FloatVector.fromMemorySegment(F, MEMORY, x + row + d, ORDER);
      FloatVector x2 = FloatVector.fromMemorySegment(F, MEMORY, x + 2 * row + d, ORDER);
      FloatVector x3 = FloatVector.fromMemorySegment(F, MEMORY, x + 3 * row + d, ORDER);
      long at = g + d;
      for (long j = p; j < p + 4 * keys; j += 4) {
        FloatVector sum = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
        sum = x0.fma(FloatVector.broadcast(F, get(j)), sum);
        sum = x1.fma(FloatVector.broadcast(F, get(j + 4 * pitch)), sum);
        sum = x2.fma(FloatVector.broadcast(F, get(j + 8 * pitch)), sum);
        sum = x3.fma(FloatVector.broadcast(F, get(j + 12 * pitch)), sum);
        sum.intoMemorySegment(MEMORY, at, ORDER);
        at += row;
      }
    }
  }

  /**
   * One row of the backward pass, in place: {@code s} becomes {@code p = e^(s - lse)}, {@code dp}
   * becomes {@code scale p (dp - delta)}.
   */
  static void softmaxBackward(long s, long dp, long keys, float lse, float delta, float scale) {
    long j = 0;
    for (; j <= keys - LANES; j += LANES) {
      FloatVector p =
          VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, s + 4 * j, ORDER).sub(lse));
      p.intoMemorySegment(MEMORY, s + 4 * j, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, dp + 4 * j, ORDER)
          .sub(delta)
          .mul(p)
          .mul(scale)
          .intoMemorySegment(MEMORY, dp + 4 * j, ORDER);
    }
    softmaxBackwardTail(s, dp, j, keys, lse, delta, scale);
  }

  private static void softmaxBackwardTail(
      long s, long dp, long from, long keys, float lse, float delta, float scale) {
    for (long j = from; j < keys; j++) {
      float p = VectorMath.exp(get(s + 4 * j) - lse);
      set(s + 4 * j, p);
      set(dp + 4 * j, (get(dp + 4 * j) - delta) * p * scale);
    }
  }
}
