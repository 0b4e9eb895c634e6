package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The loops of attention over a tile of {@link #ROWS} query rows, which lie in the lanes of two
 * vectors; keys and values are read as scalars. So nothing is summed across lanes, no loop has a
 * tail, and neither keys nor values are transposed. Keys come in fours.
 *
 * <p>Layouts: {@code [.., ROWS]} of what belongs to the tile; keys, values and their gradients
 * {@code [keys, size]}.
 */
final class QueryLanes {
  /** Query rows of a tile. */
  static final int ROWS = 2 * Width.LANES;

  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long VECTOR = 4L * Width.LANES;
  private static final long ROW = 2 * VECTOR;

  private QueryLanes() {}

  /** {@code s[j,:] = Σ_d k[j,d] q[d,:]} for {@code keys}, a multiple of 4. */
  static void scores(long k, int size, long q, long dims, long keys, long s) {
    long stride = 4L * size;
    for (long j = 0; j < keys; j += 4) {
      FloatVector a0 = FloatVector.zero(F);
      FloatVector b0 = FloatVector.zero(F);
      FloatVector a1 = FloatVector.zero(F);
      FloatVector b1 = FloatVector.zero(F);
      FloatVector a2 = FloatVector.zero(F);
      FloatVector b2 = FloatVector.zero(F);
      FloatVector a3 = FloatVector.zero(F);
      FloatVector b3 = FloatVector.zero(F);
      long key = k + j * stride;
      long end = q + dims * ROW;
      for (long at = q; at < end; at += ROW) {
        FloatVector x = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
        FloatVector y = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER);
        FloatVector e = FloatVector.broadcast(F, get(key));
        a0 = e.fma(x, a0);
        b0 = e.fma(y, b0);
        e = FloatVector.broadcast(F, get(key + stride));
        a1 = e.fma(x, a1);
        b1 = e.fma(y, b1);
        e = FloatVector.broadcast(F, get(key + 2 * stride));
        a2 = e.fma(x, a2);
        b2 = e.fma(y, b2);
        e = FloatVector.broadcast(F, get(key + 3 * stride));
        a3 = e.fma(x, a3);
        b3 = e.fma(y, b3);
        key += 4;
      }
      long to = s + j * ROW;
      a0.intoMemorySegment(MEMORY, to, ORDER);
      b0.intoMemorySegment(MEMORY, to + VECTOR, ORDER);
      a1.intoMemorySegment(MEMORY, to + ROW, ORDER);
      b1.intoMemorySegment(MEMORY, to + ROW + VECTOR, ORDER);
      a2.intoMemorySegment(MEMORY, to + 2 * ROW, ORDER);
      b2.intoMemorySegment(MEMORY, to + 2 * ROW + VECTOR, ORDER);
      a3.intoMemorySegment(MEMORY, to + 3 * ROW, ORDER);
      b3.intoMemorySegment(MEMORY, to + 3 * ROW + VECTOR, ORDER);
    }
  }

  /**
   * {@code o[d,:] += Σ_j v[j,d] p[j,:]}, keys ascending; {@code dims} is rounded up to a multiple
   * of 4 here.
   */
  static void combine(long v, int size, long p, long keys, long dims, long o) {
    long stride = 4L * size;
    long end = p + keys * ROW;
    for (long d = 0; d < dims; d += 4) {
      long to = o + d * ROW;
      FloatVector a0 = FloatVector.fromMemorySegment(F, MEMORY, to, ORDER);
      FloatVector b0 = FloatVector.fromMemorySegment(F, MEMORY, to + VECTOR, ORDER);
      FloatVector a1 = FloatVector.fromMemorySegment(F, MEMORY, to + ROW, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(F, MEMORY, to + ROW + VECTOR, ORDER);
      FloatVector a2 = FloatVector.fromMemorySegment(F, MEMORY, to + 2 * ROW, ORDER);
      FloatVector b2 = FloatVector.fromMemorySegment(F, MEMORY, to + 2 * ROW + VECTOR, ORDER);
      FloatVector a3 = FloatVector.fromMemorySegment(F, MEMORY, to + 3 * ROW, ORDER);
      FloatVector b3 = FloatVector.fromMemorySegment(F, MEMORY, to + 3 * ROW + VECTOR, ORDER);
      long value = v + 4 * d;
      for (long at = p; at < end; at += ROW) {
        FloatVector x = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
        FloatVector y = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER);
        FloatVector e = FloatVector.broadcast(F, get(value));
        a0 = e.fma(x, a0);
        b0 = e.fma(y, b0);
        e = FloatVector.broadcast(F, get(value + 4));
        a1 = e.fma(x, a1);
        b1 = e.fma(y, b1);
        e = FloatVector.broadcast(F, get(value + 8));
        a2 = e.fma(x, a2);
        b2 = e.fma(y, b2);
        e = FloatVector.broadcast(F, get(value + 12));
        a3 = e.fma(x, a3);
        b3 = e.fma(y, b3);
        value += stride;
      }
      a0.intoMemorySegment(MEMORY, to, ORDER);
      b0.intoMemorySegment(MEMORY, to + VECTOR, ORDER);
      a1.intoMemorySegment(MEMORY, to + ROW, ORDER);
      b1.intoMemorySegment(MEMORY, to + ROW + VECTOR, ORDER);
      a2.intoMemorySegment(MEMORY, to + 2 * ROW, ORDER);
      b2.intoMemorySegment(MEMORY, to + 2 * ROW + VECTOR, ORDER);
      a3.intoMemorySegment(MEMORY, to + 3 * ROW, ORDER);
      b3.intoMemorySegment(MEMORY, to + 3 * ROW + VECTOR, ORDER);
    }
  }

  /**
   * {@link #combine} where values that a row may not see must not reach it even as {@code 0 * NaN};
   * slow.
   *
   * @param first number of the first key
   * @param visible the first key behind those that each row sees, and behind that the first one
   *     that it sees
   */
  static void combineVisible(
      long v, int size, long p, long first, long keys, long dims, long visible, long o) {
    for (long half = 0; half < ROW; half += VECTOR) {
      FloatVector sees = FloatVector.fromMemorySegment(F, MEMORY, visible + half, ORDER);
      FloatVector from = FloatVector.fromMemorySegment(F, MEMORY, visible + ROW + half, ORDER);
      for (long j = 0; j < keys; j++) {
        float key = first + j;
        var seen = sees.compare(VectorOperators.GT, key).and(from.compare(VectorOperators.LE, key));
        FloatVector x = FloatVector.fromMemorySegment(F, MEMORY, p + j * ROW + half, ORDER);
        for (long d = 0; d < dims; d++) {
          long to = o + d * ROW + half;
          FloatVector old = FloatVector.fromMemorySegment(F, MEMORY, to, ORDER);
          FloatVector e = FloatVector.broadcast(F, get(v + 4 * (j * size + d)));
          old.blend(e.fma(x, old), seen).intoMemorySegment(MEMORY, to, ORDER);
        }
      }
    }
  }

  /**
   * {@code g[j,:] += Σ_r p[j,r] x[r,:]}, rows ascending.
   *
   * @param keys a multiple of 4
   * @param x {@code [rows, size]}
   */
  static void scatter(long p, long keys, long x, int size, long rows, long g) {
    long stride = 4L * size;
    for (long j = 0; j < keys; j += 4) {
      for (long d = 0; d < stride; d += ROW) {
        long to = g + j * stride + d;
        FloatVector a0 = FloatVector.fromMemorySegment(F, MEMORY, to, ORDER);
        FloatVector b0 = FloatVector.fromMemorySegment(F, MEMORY, to + VECTOR, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(F, MEMORY, to + stride, ORDER);
        FloatVector b1 = FloatVector.fromMemorySegment(F, MEMORY, to + stride + VECTOR, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(F, MEMORY, to + 2 * stride, ORDER);
        FloatVector b2 = FloatVector.fromMemorySegment(F, MEMORY, to + 2 * stride + VECTOR, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(F, MEMORY, to + 3 * stride, ORDER);
        FloatVector b3 = FloatVector.fromMemorySegment(F, MEMORY, to + 3 * stride + VECTOR, ORDER);
        long weight = p + j * ROW;
        long end = x + d + rows * stride;
        for (long at = x + d; at < end; at += stride) {
          FloatVector u = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
          FloatVector w = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER);
          FloatVector e = FloatVector.broadcast(F, get(weight));
          a0 = e.fma(u, a0);
          b0 = e.fma(w, b0);
          e = FloatVector.broadcast(F, get(weight + ROW));
          a1 = e.fma(u, a1);
          b1 = e.fma(w, b1);
          e = FloatVector.broadcast(F, get(weight + 2 * ROW));
          a2 = e.fma(u, a2);
          b2 = e.fma(w, b2);
          e = FloatVector.broadcast(F, get(weight + 3 * ROW));
          a3 = e.fma(u, a3);
          b3 = e.fma(w, b3);
          weight += 4;
        }
        a0.intoMemorySegment(MEMORY, to, ORDER);
        b0.intoMemorySegment(MEMORY, to + VECTOR, ORDER);
        a1.intoMemorySegment(MEMORY, to + stride, ORDER);
        b1.intoMemorySegment(MEMORY, to + stride + VECTOR, ORDER);
        a2.intoMemorySegment(MEMORY, to + 2 * stride, ORDER);
        b2.intoMemorySegment(MEMORY, to + 2 * stride + VECTOR, ORDER);
        a3.intoMemorySegment(MEMORY, to + 3 * stride, ORDER);
        b3.intoMemorySegment(MEMORY, to + 3 * stride + VECTOR, ORDER);
      }
    }
  }
}
