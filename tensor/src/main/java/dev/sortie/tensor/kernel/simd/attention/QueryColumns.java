package dev.sortie.tensor.kernel.simd.attention;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import dev.sortie.tensor.kernel.simd.vector.Exponentials;
import dev.sortie.tensor.kernel.simd.vector.VectorMath;
import dev.sortie.tensor.kernel.simd.vector.Width;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Softmax over the scores of a tile, {@code [keys, ROWS]} as {@link QueryLanes} leaves them: a row
 * of attention is a lane here, so each step is a vector's. One vector of lanes after the other, and
 * one exponential a loop, for the reason that {@link Exponentials} gives.
 */
final class QueryColumns {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long VECTOR = 4L * Width.LANES;
  private static final long ROW = 2 * VECTOR;

  private QueryColumns() {}

  /**
   * Puts {@code value} where a row does not see a key.
   *
   * @param s first key's scores
   * @param first number of that key
   * @param visible how many keys each row sees
   */
  static void hide(long s, long first, long keys, long visible, float value) {
    FloatVector sees0 = FloatVector.fromMemorySegment(F, MEMORY, visible, ORDER);
    FloatVector sees1 = FloatVector.fromMemorySegment(F, MEMORY, visible + VECTOR, ORDER);
    for (long j = 0; j < keys; j++) {
      long at = s + j * ROW;
      float key = first + j;
      FloatVector.fromMemorySegment(F, MEMORY, at, ORDER)
          .blend(value, sees0.compare(VectorOperators.LE, key))
          .intoMemorySegment(MEMORY, at, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER)
          .blend(value, sees1.compare(VectorOperators.LE, key))
          .intoMemorySegment(MEMORY, at + VECTOR, ORDER);
    }
  }

  /**
   * Puts {@code value} where a key lies before those that a row sees.
   *
   * @param firstSeen the first key that each row sees
   */
  static void hideBefore(long s, long first, long keys, long firstSeen, float value) {
    FloatVector from0 = FloatVector.fromMemorySegment(F, MEMORY, firstSeen, ORDER);
    FloatVector from1 = FloatVector.fromMemorySegment(F, MEMORY, firstSeen + VECTOR, ORDER);
    for (long j = 0; j < keys; j++) {
      long at = s + j * ROW;
      float key = first + j;
      FloatVector.fromMemorySegment(F, MEMORY, at, ORDER)
          .blend(value, from0.compare(VectorOperators.GT, key))
          .intoMemorySegment(MEMORY, at, ORDER);
      FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER)
          .blend(value, from1.compare(VectorOperators.GT, key))
          .intoMemorySegment(MEMORY, at + VECTOR, ORDER);
    }
  }

  /** {@code to = max(from, max_j s[j,:])}. */
  static void max(long s, long keys, long from, long to) {
    FloatVector m0 = FloatVector.fromMemorySegment(F, MEMORY, from, ORDER);
    FloatVector m1 = FloatVector.fromMemorySegment(F, MEMORY, from + VECTOR, ORDER);
    long end = s + keys * ROW;
    for (long at = s; at < end; at += ROW) {
      m0 = FloatVector.fromMemorySegment(F, MEMORY, at, ORDER).max(m0);
      m1 = FloatVector.fromMemorySegment(F, MEMORY, at + VECTOR, ORDER).max(m1);
    }
    m0.intoMemorySegment(MEMORY, to, ORDER);
    m1.intoMemorySegment(MEMORY, to + VECTOR, ORDER);
  }

  /** {@code s = e^(s - max); sum += Σ_j s[j,:]}, for both vectors of lanes. */
  static void weights(long s, long keys, long max, long sum) {
    weightsOfVector(s, keys, max, sum);
    weightsOfVector(s + VECTOR, keys, max + VECTOR, sum + VECTOR);
  }

  private static void weightsOfVector(long s, long keys, long max, long sum) {
    FloatVector shift = FloatVector.fromMemorySegment(F, MEMORY, max, ORDER);
    FloatVector total = FloatVector.fromMemorySegment(F, MEMORY, sum, ORDER);
    long end = s + keys * ROW;
    for (long at = s; at < end; at += ROW) {
      FloatVector e =
          VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, at, ORDER).sub(shift));
      e.intoMemorySegment(MEMORY, at, ORDER);
      total = e.add(total);
    }
    total.intoMemorySegment(MEMORY, sum, ORDER);
  }

  /** {@code f = e^(from - to); from = to}: what sums up to now shrink by. */
  static void decay(long from, long to, long f) {
    for (long half = 0; half < ROW; half += VECTOR) {
      FloatVector now = FloatVector.fromMemorySegment(F, MEMORY, to + half, ORDER);
      VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, from + half, ORDER).sub(now))
          .intoMemorySegment(MEMORY, f + half, ORDER);
      now.intoMemorySegment(MEMORY, from + half, ORDER);
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
    backwardOfVector(s, dp, keys, lse, delta, scale);
    backwardOfVector(s + VECTOR, dp + VECTOR, keys, lse + VECTOR, delta + VECTOR, scale);
  }

  private static void backwardOfVector(
      long s, long dp, long keys, long lse, long delta, float scale) {
    FloatVector shift = FloatVector.fromMemorySegment(F, MEMORY, lse, ORDER);
    FloatVector mean = FloatVector.fromMemorySegment(F, MEMORY, delta, ORDER);
    for (long at = 0; at < keys * ROW; at += ROW) {
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
