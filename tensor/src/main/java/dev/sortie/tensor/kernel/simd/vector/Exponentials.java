package dev.sortie.tensor.kernel.simd.vector;

import static dev.sortie.tensor.kernel.simd.vector.Lanes.get;
import static dev.sortie.tensor.kernel.simd.vector.Lanes.set;
import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * The row loops under softmax, attention and the losses: maxima and sums of exponentials.
 *
 * <p>Each loop has one call of a vector function, and its scalar tail stands in a method of its
 * own: C2 stops inlining in a method that has grown large, and a vector that crosses a call is an
 * object. With two calls and the tail in one method, cross entropy ran at 0.45 instead of 1.1
 * elements per nanosecond.
 */
public final class Exponentials {
  private static final VectorSpecies<Float> F = Width.F;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final long LANES = F.length();

  private Exponentials() {}

  /** The largest of {@code n} floats; NaN if one is NaN. */
  public static float max(long x, long n) {
    FloatVector m0 = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector m1 = m0;
    long i = 0;
    for (; i < n - (2 * LANES - 1); i += 2 * LANES) {
      m0 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).max(m0);
      m1 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * (i + LANES), ORDER).max(m1);
    }
    for (; i < n - (LANES - 1); i += LANES) {
      m0 = FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).max(m0);
    }
    float max = m0.max(m1).reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      max = Math.max(max, get(x + 4 * i));
    }
    return max;
  }

  /** {@code Σ e^(x - max)}. */
  public static float sum(long x, long n, float max) {
    FloatVector s = FloatVector.zero(F);
    long i = 0;
    for (; i < n - (LANES - 1); i += LANES) {
      s =
          VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).sub(max))
              .add(s);
    }
    return sumTail(x, i, n, max, Lanes.sum(s));
  }

  private static float sumTail(long x, long from, long n, float max, float start) {
    float sum = start;
    for (long i = from; i < n; i++) {
      sum += VectorMath.exp(get(x + 4 * i) - max);
    }
    return sum;
  }

  /** {@code y = e^(x - max)}; returns the sum, with the bits of {@link #sum}. */
  public static float sumAndStore(long x, long y, long n, float max) {
    FloatVector s = FloatVector.zero(F);
    long i = 0;
    for (; i < n - (LANES - 1); i += LANES) {
      FloatVector e =
          VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).sub(max));
      e.intoMemorySegment(MEMORY, y + 4 * i, ORDER);
      s = e.add(s);
    }
    // Lanes.sum, written out: after exp C2 may leave a call, and so an object per row of
    // attention.
    if (LANES >= 16) {
      s = s.add(s.rearrange(Lanes.BY_8));
    }
    if (LANES >= 8) {
      s = s.add(s.rearrange(Lanes.BY_4));
    }
    if (LANES >= 4) {
      s = s.add(s.rearrange(Lanes.BY_2));
    }
    return sumAndStoreTail(x, y, i, n, max, s.add(s.rearrange(Lanes.BY_1)).lane(0));
  }

  private static float sumAndStoreTail(long x, long y, long from, long n, float max, float start) {
    float sum = start;
    for (long i = from; i < n; i++) {
      float e = VectorMath.exp(get(x + 4 * i) - max);
      set(y + 4 * i, e);
      sum += e;
    }
    return sum;
  }

  /** {@code y += a e^(x - shift)}. */
  public static void addScaled(float a, long x, float shift, long y, long n) {
    FloatVector factor = FloatVector.broadcast(F, a);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      factor
          .fma(
              VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, x + 4 * i, ORDER).sub(shift)),
              FloatVector.fromMemorySegment(F, MEMORY, y + 4 * i, ORDER))
          .intoMemorySegment(MEMORY, y + 4 * i, ORDER);
    }
    addScaledTail(a, x, shift, y, i, n);
  }

  private static void addScaledTail(float a, long x, float shift, long y, long from, long n) {
    for (long i = from; i < n; i++) {
      set(y + 4 * i, Math.fma(a, VectorMath.exp(get(x + 4 * i) - shift), get(y + 4 * i)));
    }
  }

  /**
   * {@code Σ e^(t - tShift) (t - s - gap)}; what has no probability counts nothing, even where
   * {@code t - s} is infinite.
   */
  public static float divergence(long s, long t, float tShift, float gap, long n) {
    FloatVector sum = FloatVector.zero(F);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector target = FloatVector.fromMemorySegment(F, MEMORY, t + 4 * i, ORDER);
      FloatVector p = VectorMath.exp(target.sub(tShift));
      FloatVector term =
          p.mul(target.sub(FloatVector.fromMemorySegment(F, MEMORY, s + 4 * i, ORDER)).sub(gap));
      sum = term.blend(0f, p.eq(0f)).add(sum);
    }
    return divergenceTail(s, t, tShift, gap, i, n, Lanes.sum(sum));
  }

  private static float divergenceTail(
      long s, long t, float tShift, float gap, long from, long n, float start) {
    float sum = start;
    for (long i = from; i < n; i++) {
      float target = get(t + 4 * i);
      float p = VectorMath.exp(target - tShift);
      sum += p == 0f ? 0f : p * (target - get(s + 4 * i) - gap);
    }
    return sum;
  }

  /** {@code Σ p (logP - s + lse)}; what has no probability counts nothing. */
  public static float divergence(long s, long logP, long p, float lse, long n) {
    FloatVector sum = FloatVector.zero(F);
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      FloatVector weight = FloatVector.fromMemorySegment(F, MEMORY, p + 4 * i, ORDER);
      FloatVector term =
          FloatVector.fromMemorySegment(F, MEMORY, logP + 4 * i, ORDER)
              .sub(FloatVector.fromMemorySegment(F, MEMORY, s + 4 * i, ORDER).sub(lse))
              .mul(weight);
      sum = term.blend(0f, weight.eq(0f)).add(sum);
    }
    float total = Lanes.sum(sum);
    for (; i < n; i++) {
      float weight = get(p + 4 * i);
      total += weight == 0f ? 0f : (get(logP + 4 * i) - (get(s + 4 * i) - lse)) * weight;
    }
    return total;
  }

  /** {@code s = a (e^(s - lse) - p)}. */
  public static void difference(float a, long s, float lse, long p, long n) {
    long i = 0;
    for (; i <= n - LANES; i += LANES) {
      VectorMath.exp(FloatVector.fromMemorySegment(F, MEMORY, s + 4 * i, ORDER).sub(lse))
          .sub(FloatVector.fromMemorySegment(F, MEMORY, p + 4 * i, ORDER))
          .mul(a)
          .intoMemorySegment(MEMORY, s + 4 * i, ORDER);
    }
    differenceTail(a, s, lse, p, i, n);
  }

  private static void differenceTail(float a, long s, float lse, long p, long from, long n) {
    for (long i = from; i < n; i++) {
      set(s + 4 * i, (VectorMath.exp(get(s + 4 * i) - lse) - get(p + 4 * i)) * a);
    }
  }
}
