package dev.sortie.tensor.kernel.simd.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementary functions for F32, as vector code and as a scalar twin that gives the same bits a
 * lane: the same operations in the same order, all exactly rounded, so that no result depends on
 * where a vector ends, on the CPU or on the JVM's library. The polynomials are Chebyshev fits of
 * our own, computed with 40 digits.
 *
 * <p>Largest errors, held by {@code VectorMathAccuracyTest}: exp 1.5 ulp (subnormal results too),
 * log 1 ulp, tanh 2 ulp, erf 2 ulp. NaN gives NaN; exp overflows to infinity above 88.7228 and
 * underflows gradually to 0 below -103.97.
 */
public final class VectorMath {
  private static final VectorSpecies<Float> F = Width.F;

  private static final float LOG2_E = 1.44269504f;
  private static final float LN2_HIGH = 0.693359375f;
  private static final float LN2_LOW = -2.1219444e-4f;

  /** Adding 1.5 · 2²³ rounds to an integer, which then stands in the low bits. */
  private static final float ROUNDER = 12582912f;

  private static final int ROUNDER_BITS = 0x4B400000;
  private static final float EXP_HIGHEST = 89f;
  private static final float EXP_LOWEST = -104f;

  private static final float E2 = 0.5f;
  private static final float E3 = 0.16666576f;
  private static final float E4 = 0.041666552f;
  private static final float E5 = 0.008363233f;
  private static final float E6 = 0.001392625f;

  private static final int SQRT_HALF_BITS = 0x3F3504F3;
  private static final float TWO_23 = 8388608f;
  private static final float L0 = 0.3333333f;
  private static final float L1 = -0.24999997f;
  private static final float L2 = 0.20000716f;
  private static final float L3 = -0.16667803f;
  private static final float L4 = 0.14249058f;
  private static final float L5 = -0.12425687f;
  private static final float L6 = 0.1168542f;
  private static final float L7 = -0.11479734f;
  private static final float L8 = 0.06971612f;

  private static final float TANH_SMALL = 0.625f;
  private static final float T0 = -0.33333328f;
  private static final float T1 = 0.1333277f;
  private static final float T2 = -0.05385085f;
  private static final float T3 = 0.020996895f;
  private static final float T4 = -0.0060962997f;

  private static final float S0 = 0.12837917f;
  private static final float S1 = -0.37612626f;
  private static final float S2 = 0.11283594f;
  private static final float S3 = -0.026854211f;
  private static final float S4 = 0.0051890872f;
  private static final float S5 = -0.00080168643f;
  private static final float S6 = 7.875875e-5f;

  /** {@code erf} is 1 in F32 from here on. */
  private static final float ERF_ONE = 4f;

  private static final float Q0 = 0.0007658978f;
  private static final float Q1 = 1.1258936f;
  private static final float Q2 = 0.63914126f;
  private static final float Q3 = 0.10328112f;
  private static final float Q4 = -0.022604773f;
  private static final float Q5 = 0.0034323514f;
  private static final float Q6 = -0.00031693702f;
  private static final float Q7 = 1.3272362e-5f;

  // The constants of exp as vectors: to broadcast them in place makes some thousand nodes more, and
  // a caller that runs out of nodes leaves a call of exp, and so two objects a vector.
  private static final FloatVector V_HIGHEST = FloatVector.broadcast(F, EXP_HIGHEST);
  private static final FloatVector V_LOWEST = FloatVector.broadcast(F, EXP_LOWEST);
  private static final FloatVector V_LOG2_E = FloatVector.broadcast(F, LOG2_E);
  private static final FloatVector V_ROUNDER = FloatVector.broadcast(F, ROUNDER);
  private static final FloatVector V_MINUS_LN2_HIGH = FloatVector.broadcast(F, -LN2_HIGH);
  private static final FloatVector V_MINUS_LN2_LOW = FloatVector.broadcast(F, -LN2_LOW);
  private static final FloatVector V_E2 = FloatVector.broadcast(F, E2);
  private static final FloatVector V_E3 = FloatVector.broadcast(F, E3);
  private static final FloatVector V_E4 = FloatVector.broadcast(F, E4);
  private static final FloatVector V_E5 = FloatVector.broadcast(F, E5);
  private static final FloatVector V_E6 = FloatVector.broadcast(F, E6);
  private static final FloatVector V_ONE = FloatVector.broadcast(F, 1f);
  private static final IntVector V_ROUNDER_BITS = V_ONE.reinterpretAsInts().broadcast(ROUNDER_BITS);
  private static final IntVector V_BIAS = V_ROUNDER_BITS.broadcast(127);

  private VectorMath() {}

  /**
   * {@code e^x = 2^n e^r}, {@code n} the integer nearest to {@code x / ln 2}, a polynomial for
   * {@code |r| <= ln 2 / 2}.
   */
  public static FloatVector exp(FloatVector x) {
    FloatVector c = x.blend(V_HIGHEST, x.compare(GT, V_HIGHEST));
    c = c.blend(V_LOWEST, c.compare(LT, V_LOWEST));
    FloatVector t = c.fma(V_LOG2_E, V_ROUNDER);
    FloatVector n = t.sub(V_ROUNDER);
    FloatVector r = n.fma(V_MINUS_LN2_HIGH, c);
    r = n.fma(V_MINUS_LN2_LOW, r);
    FloatVector p = V_E6.fma(r, V_E5);
    p = p.fma(r, V_E4);
    p = p.fma(r, V_E3);
    p = p.fma(r, V_E2);
    p = p.mul(r).fma(r, r).add(V_ONE);
    IntVector bits = t.reinterpretAsInts().sub(V_ROUNDER_BITS);
    IntVector half = bits.lanewise(ASHR, 1);
    IntVector rest = bits.sub(half);
    return p.mul(half.add(V_BIAS).lanewise(LSHL, 23).reinterpretAsFloats())
        .mul(rest.add(V_BIAS).lanewise(LSHL, 23).reinterpretAsFloats());
  }

  /** The twin of {@link #exp(FloatVector)}. */
  public static float exp(float x) {
    float c = x > EXP_HIGHEST ? EXP_HIGHEST : x;
    c = c < EXP_LOWEST ? EXP_LOWEST : c;
    float t = Math.fma(c, LOG2_E, ROUNDER);
    float n = t - ROUNDER;
    float r = Math.fma(n, -LN2_HIGH, c);
    r = Math.fma(n, -LN2_LOW, r);
    float p = E6;
    p = Math.fma(p, r, E5);
    p = Math.fma(p, r, E4);
    p = Math.fma(p, r, E3);
    p = Math.fma(p, r, E2);
    p = Math.fma(p * r, r, r) + 1f;
    int bits = Float.floatToRawIntBits(t) - ROUNDER_BITS;
    int half = bits >> 1;
    return p
        * Float.intBitsToFloat((half + 127) << 23)
        * Float.intBitsToFloat((bits - half + 127) << 23);
  }

  /** {@code log x = e ln 2 + log m}, {@code m} between √½ and √2, a polynomial in {@code m - 1}. */
  public static FloatVector log(FloatVector x) {
    VectorMask<Float> tiny = x.compare(LT, Float.MIN_NORMAL);
    IntVector bits = x.blend(x.mul(TWO_23), tiny).reinterpretAsInts();
    IntVector e = bits.sub(SQRT_HALF_BITS).lanewise(ASHR, 23);
    FloatVector f = bits.sub(e.lanewise(LSHL, 23)).reinterpretAsFloats().sub(1f);
    FloatVector n = (FloatVector) e.convertShape(I2F, F, 0);
    n = n.blend(n.sub(23f), tiny);
    FloatVector p = FloatVector.broadcast(F, L8);
    p = p.fma(f, FloatVector.broadcast(F, L7));
    p = p.fma(f, FloatVector.broadcast(F, L6));
    p = p.fma(f, FloatVector.broadcast(F, L5));
    p = p.fma(f, FloatVector.broadcast(F, L4));
    p = p.fma(f, FloatVector.broadcast(F, L3));
    p = p.fma(f, FloatVector.broadcast(F, L2));
    p = p.fma(f, FloatVector.broadcast(F, L1));
    p = p.fma(f, FloatVector.broadcast(F, L0));
    FloatVector square = f.mul(f);
    FloatVector y = p.mul(f).mul(square);
    y = n.fma(FloatVector.broadcast(F, LN2_LOW), y);
    y = square.fma(FloatVector.broadcast(F, -0.5f), y).add(f);
    y = n.fma(FloatVector.broadcast(F, LN2_HIGH), y);
    y = y.blend(Float.NEGATIVE_INFINITY, x.eq(0f));
    y = y.blend(Float.POSITIVE_INFINITY, x.eq(Float.POSITIVE_INFINITY));
    return y.blend(Float.NaN, x.compare(GE, 0f).not());
  }

  /** The twin of {@link #log(FloatVector)}. */
  public static float log(float x) {
    if (!(x >= 0f)) {
      return Float.NaN;
    }
    if (x == 0f) {
      return Float.NEGATIVE_INFINITY;
    }
    if (x == Float.POSITIVE_INFINITY) {
      return x;
    }
    boolean tiny = x < Float.MIN_NORMAL;
    int bits = Float.floatToRawIntBits(tiny ? x * TWO_23 : x);
    int e = (bits - SQRT_HALF_BITS) >> 23;
    float f = Float.intBitsToFloat(bits - (e << 23)) - 1f;
    float n = tiny ? e - 23f : e;
    float p = L8;
    p = Math.fma(p, f, L7);
    p = Math.fma(p, f, L6);
    p = Math.fma(p, f, L5);
    p = Math.fma(p, f, L4);
    p = Math.fma(p, f, L3);
    p = Math.fma(p, f, L2);
    p = Math.fma(p, f, L1);
    p = Math.fma(p, f, L0);
    float square = f * f;
    float y = p * f * square;
    y = Math.fma(n, LN2_LOW, y);
    y = Math.fma(square, -0.5f, y) + f;
    return Math.fma(n, LN2_HIGH, y);
  }

  /** An odd polynomial near 0, {@code 1 - 2 / (e^2|x| + 1)} elsewhere. */
  public static FloatVector tanh(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector z = x.mul(x);
    FloatVector p = FloatVector.broadcast(F, T4);
    p = p.fma(z, FloatVector.broadcast(F, T3));
    p = p.fma(z, FloatVector.broadcast(F, T2));
    p = p.fma(z, FloatVector.broadcast(F, T1));
    p = p.fma(z, FloatVector.broadcast(F, T0));
    FloatVector small = p.mul(z).fma(x, x);
    FloatVector large =
        FloatVector.broadcast(F, 1f).sub(FloatVector.broadcast(F, 2f).div(exp(a.add(a)).add(1f)));
    large = large.blend(large.neg(), x.compare(LT, 0f));
    return large.blend(small, a.compare(LT, TANH_SMALL));
  }

  /** The twin of {@link #tanh(FloatVector)}. */
  public static float tanh(float x) {
    float a = Math.abs(x);
    if (a < TANH_SMALL) {
      float z = x * x;
      float p = T4;
      p = Math.fma(p, z, T3);
      p = Math.fma(p, z, T2);
      p = Math.fma(p, z, T1);
      p = Math.fma(p, z, T0);
      return Math.fma(p * z, x, x);
    }
    float large = 1f - 2f / (exp(a + a) + 1f);
    return x < 0f ? -large : large;
  }

  /** An odd polynomial below 1, {@code 1 - e^-q(|x|)} above. */
  public static FloatVector erf(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector z = x.mul(x);
    FloatVector p = FloatVector.broadcast(F, S6);
    p = p.fma(z, FloatVector.broadcast(F, S5));
    p = p.fma(z, FloatVector.broadcast(F, S4));
    p = p.fma(z, FloatVector.broadcast(F, S3));
    p = p.fma(z, FloatVector.broadcast(F, S2));
    p = p.fma(z, FloatVector.broadcast(F, S1));
    p = p.fma(z, FloatVector.broadcast(F, S0));
    FloatVector small = p.fma(x, x);
    FloatVector t = a.blend(ERF_ONE, a.compare(GT, ERF_ONE));
    FloatVector q = FloatVector.broadcast(F, Q7);
    q = q.fma(t, FloatVector.broadcast(F, Q6));
    q = q.fma(t, FloatVector.broadcast(F, Q5));
    q = q.fma(t, FloatVector.broadcast(F, Q4));
    q = q.fma(t, FloatVector.broadcast(F, Q3));
    q = q.fma(t, FloatVector.broadcast(F, Q2));
    q = q.fma(t, FloatVector.broadcast(F, Q1));
    q = q.fma(t, FloatVector.broadcast(F, Q0));
    FloatVector large = FloatVector.broadcast(F, 1f).sub(exp(q.neg()));
    large = large.blend(large.neg(), x.compare(LT, 0f));
    return large.blend(small, a.compare(LT, 1f));
  }

  /** The twin of {@link #erf(FloatVector)}. */
  public static float erf(float x) {
    float a = Math.abs(x);
    if (a < 1f) {
      float z = x * x;
      float p = S6;
      p = Math.fma(p, z, S5);
      p = Math.fma(p, z, S4);
      p = Math.fma(p, z, S3);
      p = Math.fma(p, z, S2);
      p = Math.fma(p, z, S1);
      p = Math.fma(p, z, S0);
      return Math.fma(p, x, x);
    }
    float t = a > ERF_ONE ? ERF_ONE : a;
    float q = Q7;
    q = Math.fma(q, t, Q6);
    q = Math.fma(q, t, Q5);
    q = Math.fma(q, t, Q4);
    q = Math.fma(q, t, Q3);
    q = Math.fma(q, t, Q2);
    q = Math.fma(q, t, Q1);
    q = Math.fma(q, t, Q0);
    float large = 1f - exp(-q);
    return x < 0f ? -large : large;
  }
}
