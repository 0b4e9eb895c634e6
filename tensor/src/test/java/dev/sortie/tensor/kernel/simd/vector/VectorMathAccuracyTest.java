package dev.sortie.tensor.kernel.simd.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/** Holds the elementary functions to the errors that {@link VectorMath} states. */
class VectorMathAccuracyTest {
  private static final int STEP = 20_011;

  private static final float[] SPECIAL = {
    0f,
    -0f,
    1f,
    -1f,
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.MIN_VALUE,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    88.72283f,
    88.72284f,
    89.5f,
    -87.3f,
    -103.9f,
    -104.5f,
    1e10f,
    -1e10f,
    0.625f,
    4f
  };

  private interface Scalar {
    float apply(float x);
  }

  @Test
  void expIsWithinOneAndAHalfUlp() {
    worst(-103.9, 88.722, VectorMath::exp, VectorMath::exp, Math::exp, 1.5);
  }

  @Test
  void logIsWithinOneUlp() {
    worst(1e-45, 1e-37, VectorMath::log, VectorMath::log, Math::log, 1);
    worst(1e-3, 4, VectorMath::log, VectorMath::log, Math::log, 1);
    worst(4, 1e38, VectorMath::log, VectorMath::log, Math::log, 1);
  }

  @Test
  void tanhIsWithinTwoUlp() {
    worst(-12, 12, VectorMath::tanh, VectorMath::tanh, Math::tanh, 2);
    worst(-0.7, 0.7, VectorMath::tanh, VectorMath::tanh, Math::tanh, 2);
  }

  @Test
  void erfIsWithinTwoUlp() {
    worst(-5, 5, VectorMath::erf, VectorMath::erf, VectorMathAccuracyTest::erf, 2);
  }

  /**
   * Every {@value #STEP}th pattern of bits: as many samples between 1e-30 and 2e-30 as between 1
   * and 2, both signs, subnormal numbers, infinities and NaNs.
   */
  @Test
  void theBoundsHoldOverAllMagnitudes() {
    float[] x = new float[(int) ((1L << 32) / STEP)];
    for (int i = 0; i < x.length; i++) {
      x[i] = Float.intBitsToFloat((int) ((long) i * STEP));
    }
    worst(x, VectorMath::exp, VectorMath::exp, Math::exp, 1.5);
    worst(x, VectorMath::log, VectorMath::log, Math::log, 1);
    worst(x, VectorMath::tanh, VectorMath::tanh, Math::tanh, 2);
    worst(x, VectorMath::erf, VectorMath::erf, VectorMathAccuracyTest::erf, 2);
  }

  @Test
  void theBoundsHoldOnBothSidesOfEachBranch() {
    float[] branches = {
      0.625f, 1f, 4f, 9f, (float) Math.sqrt(0.5), (float) Math.sqrt(2), 88.72283f
    };
    float[] x = new float[branches.length * 2 * 41];
    int n = 0;
    for (float branch : branches) {
      for (int step = -20; step <= 20; step++) {
        float near = Float.intBitsToFloat(Float.floatToIntBits(branch) + step);
        x[n++] = near;
        x[n++] = -near;
      }
    }
    worst(x, VectorMath::exp, VectorMath::exp, Math::exp, 1.5);
    worst(x, VectorMath::log, VectorMath::log, Math::log, 1);
    worst(x, VectorMath::tanh, VectorMath::tanh, Math::tanh, 2);
    worst(x, VectorMath::erf, VectorMath::erf, VectorMathAccuracyTest::erf, 2);
  }

  @Test
  void specialValuesAreThoseOfTheMathematicalFunctions() {
    assertThat(VectorMath.exp(Float.NaN)).isNaN();
    assertThat(VectorMath.exp(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(VectorMath.exp(Float.NEGATIVE_INFINITY)).isEqualTo(0f);
    assertThat(VectorMath.exp(0f)).isEqualTo(1f);
    assertThat(VectorMath.exp(89f)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(VectorMath.log(0f)).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(VectorMath.log(1f)).isEqualTo(0f);
    assertThat(VectorMath.log(-1f)).isNaN();
    assertThat(VectorMath.log(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(VectorMath.tanh(Float.NEGATIVE_INFINITY)).isEqualTo(-1f);
    assertThat(VectorMath.tanh(Float.NaN)).isNaN();
    assertThat(VectorMath.erf(Float.POSITIVE_INFINITY)).isEqualTo(1f);
    assertThat(VectorMath.erf(Float.NaN)).isNaN();
    same(SPECIAL, VectorMath::exp, VectorMath::exp);
    same(SPECIAL, VectorMath::log, VectorMath::log);
    same(SPECIAL, VectorMath::tanh, VectorMath::tanh);
    same(SPECIAL, VectorMath::erf, VectorMath::erf);
  }

  private static void worst(
      double from,
      double to,
      UnaryOperator<FloatVector> vector,
      Scalar scalar,
      DoubleUnaryOperator exact,
      double ulps) {
    int n = 200_000;
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      x[i] = (float) (from + (to - from) * i / (n - 1));
    }
    worst(x, vector, scalar, exact, ulps);
  }

  private static void worst(
      float[] x,
      UnaryOperator<FloatVector> vector,
      Scalar scalar,
      DoubleUnaryOperator exact,
      double ulps) {
    double worst = 0;
    for (float a : x) {
      double e = exact.applyAsDouble(a);
      if (Float.compare(scalar.apply(a), (float) e) == 0) {
        continue; // rounded as well as can be; also infinities and NaN, which have no ulp
      }
      double ulp = Math.max(Math.ulp((float) e), Float.MIN_VALUE);
      worst = Math.max(worst, Math.abs(scalar.apply(a) - e) / ulp);
    }
    assertThat(worst).isLessThanOrEqualTo(ulps);
    same(x, vector, scalar);
  }

  private static void same(float[] x, UnaryOperator<FloatVector> vector, Scalar scalar) {
    float[] padded =
        java.util.Arrays.copyOf(x, (x.length + Width.LANES - 1) / Width.LANES * Width.LANES);
    float[] y = new float[padded.length];
    for (int i = 0; i < y.length; i += Width.LANES) {
      vector.apply(FloatVector.fromArray(Width.F, padded, i)).intoArray(y, i);
    }
    for (int i = 0; i < x.length; i++) {
      float twin = scalar.apply(x[i]);
      if (Float.floatToIntBits(twin) != Float.floatToIntBits(y[i])) { // assertThat(0f) takes -0f
        fail("lane of %s is %s, its twin %s", x[i], y[i], twin);
      }
    }
  }

  /** Series of Abramowitz and Stegun 7.1.6, in double. */
  private static double erf(double x) {
    if (Math.abs(x) > 6) {
      return Math.signum(x); // within 1e-16
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
