package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Lanes;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
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

  private AttentionTiles() {}

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
    for (long d = 0; d < row; ) {
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
}
