package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.kernel.simd.vector.Width;
import jdk.incubator.vector.FloatVector;

/**
 * Chains of fused multiply-adds that touch no memory. Ten chains: more than two units with a
 * latency of four cycles can have in flight, and few enough for 16 registers.
 */
public final class FmaPeak {
  private static final int CHAINS = 10;
  private static final int STEPS = 1000;
  private static final float FACTOR = 0.999f;
  private static final float TERM = 0.001f; // the fixed point is 1, so nothing over- or underflows

  private FmaPeak() {}

  /** Floats in a vector. */
  public static int lanes() {
    return Width.LANES;
  }

  /** Floating-point operations of one call of {@link #vectors()}. */
  public static double vectorOperations() {
    return scalarOperations() * Width.LANES;
  }

  /** Floating-point operations of one call of {@link #scalars()}. */
  public static double scalarOperations() {
    return 2.0 * CHAINS * STEPS;
  }

  /** Runs the chains on vectors; returns a sum near the number of chains. */
  public static double vectors() {
    FloatVector f = FloatVector.broadcast(Width.F, FACTOR);
    FloatVector t = FloatVector.broadcast(Width.F, TERM);
    FloatVector a = f;
    FloatVector b = f;
    FloatVector c = f;
    FloatVector d = f;
    FloatVector e = f;
    FloatVector g = f;
    FloatVector h = f;
    FloatVector i = f;
    FloatVector j = f;
    FloatVector k = f;
    for (int s = 0; s < STEPS; s++) {
      a = a.fma(f, t);
      b = b.fma(f, t);
      c = c.fma(f, t);
      d = d.fma(f, t);
      e = e.fma(f, t);
      g = g.fma(f, t);
      h = h.fma(f, t);
      i = i.fma(f, t);
      j = j.fma(f, t);
      k = k.fma(f, t);
    }
    FloatVector sum = a.add(b).add(c.add(d)).add(e.add(g)).add(h.add(i)).add(j.add(k));
    return sum.lane(0);
  }

  /** Runs the chains one float at a time; returns a sum near the number of chains. */
  public static double scalars() {
    float f = FACTOR;
    float t = TERM;
    float a = f;
    float b = f;
    float c = f;
    float d = f;
    float e = f;
    float g = f;
    float h = f;
    float i = f;
    float j = f;
    float k = f;
    for (int s = 0; s < STEPS; s++) {
      a = Math.fma(a, f, t);
      b = Math.fma(b, f, t);
      c = Math.fma(c, f, t);
      d = Math.fma(d, f, t);
      e = Math.fma(e, f, t);
      g = Math.fma(g, f, t);
      h = Math.fma(h, f, t);
      i = Math.fma(i, f, t);
      j = Math.fma(j, f, t);
      k = Math.fma(k, f, t);
    }
    return a + b + c + d + e + g + h + i + j + k;
  }
}
