package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.VectorMath;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Softmax over the scores of a tile, {@code [keys, ROWS]} as {@link QueryLanes} leaves them: a row
 * of attention is a lane here, so each step is a vector's. One vector of lanes after the other, and
 * one call of an exponential in all that a block of keys takes: C2 inlines all of it into one
 * method, stops at 18,000 nodes, and a vector that crosses a call is an object.
 */
final class QueryColumns {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long VECTOR = 4L * Width.LANES;
  private static final long ROW = 2 * VECTOR;

  private QueryColumns() {}

  /**
   * Puts {@code value} where a row does not see one of {@code keys} keys, of which there may be
   * none.
   *
   * @param s first key's scores
   * @param first number of that key
   * @param visible the first key behind those that each row sees, and behind that the first one
   *     that it sees
   */
  static void hide(long s, long first, long keys, long visible, float value) {
    for (long half = 0; half < ROW; half += VECTOR) {
      FloatVector sees = FloatVector.fromMemorySegment(F, MEMORY, visible + half, ORDER);
      FloatVector from = FloatVector.fromMemorySegment(F, MEMORY, visible + ROW + half, ORDER);
      for (long j = 0; j < keys; j++) {
        long at = s + j * ROW + half;
        float key = first + j;
        FloatVector.fromMemorySegment(F, MEMORY, at, ORDER)
            .blend(value, sees.compare(VectorOperators.LE, key))
            .blend(value, from.compare(VectorOperators.GT, key))
            .intoMemorySegment(MEMORY, at, ORDER);
      }
    }
  }

  /** {@code to = max_j s[j,:]}. */
  static void max(long s, long rows, long to) {
    for (long half = 0; half < ROW; half += VECTOR) {
      FloatVector m = FloatVector.fromMemorySegment(F, MEMORY, s + half, ORDER);
      long end = s + half + rows * ROW;
      for (long at = s + half + ROW; at < end; at += ROW) {
        m = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER).max(m);
      }
      m.intoMemorySegment(MEMORY, to + half, ORDER);
    }
  }

  /**
   * The step of an online softmax: {@code s = e^(s - max); sum = sum s[0,:] + Σ_{j>0} s[j,:]}.
   * {@code s[0,:]} is the maximum before these keys, and becomes what sums up to now shrink by.
   */
  static void weights(long s, long rows, long max, long sum) {
    FloatVector one = FloatVector.broadcast(F, 1f);
    for (long half = 0; half < ROW; half += VECTOR) {
      FloatVector shift = FloatVector.fromMemorySegment(F, MEMORY, max + half, ORDER);
      FloatVector factor = FloatVector.fromMemorySegment(F, MEMORY, sum + half, ORDER);
      FloatVector total = FloatVector.zero(F);
      long end = s + half + rows * ROW;
      for (long at = s + half; at < end; at += ROW) {
        FloatVector e =
            VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, at, ORDER).sub(shift));
        e.intoMemorySegment(MEMORY, at, ORDER);
        total = e.fma(factor, total);
        factor = one;
      }
      total.intoMemorySegment(MEMORY, sum + half, ORDER);
    }
  }

  /** {@code x[i,:] *= f} for {@code count} rows. */
  static void scale(long x, long count, long f) {
    FloatVector f0 = FloatVector.fromMemorySegment(F, MEMORY, f, ORDER);
    FloatVector f1 = FloatVector.fromMemorySegment(F, MEMORY, f + VECTOR, ORDER);
    long end = x + count * ROW;
    for (long at = x; at < end; at += ROW) {
      FloatVector.fromMemorySegment(F, MEMORY, at, ORDER)
          .mul(f0)
          .intoMemorySegment(MEMORY, at, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER)
          .mul(f1)
          .intoMemorySegment(MEMORY, at + VECTOR, ORDER);
    }
  }

  /**
   * The backward pass in place: {@code s} becomes {@code p = e^(s - lse)}, {@code dp} becomes
   * {@code scale p (dp - delta)}; {@code lse} and {@code delta} a lane.
   */
  static void backward(long s, long dp, long keys, long lse, long delta, float scale) {
    for (long half = 0; half < ROW; half += VECTOR) {
      FloatVector shift = FloatVector.fromMemorySegment(F, MEMORY, lse + half, ORDER);
      FloatVector mean = FloatVector.fromMemorySegment(F, MEMORY, delta + half, ORDER);
      for (long at = half; at < keys * ROW; at += ROW) {
        FloatVector p =
            VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, s + at, ORDER).sub(shift));
        p.intoMemorySegment(MEMORY, s + at, ORDER);
        FloatVector.fromMemorySegment(F, MEMORY, dp + at, ORDER)
            .sub(mean)
            .mul(p)
            .mul(scale)
            .intoMemorySegment(MEMORY, dp + at, ORDER);
      }
    }
  }
}
