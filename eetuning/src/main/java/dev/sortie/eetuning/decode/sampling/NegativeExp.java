package dev.sortie.eetuning.decode.sampling;

/**
 * {@code exp(x)} for {@code x <= 0}, to 2 ulp, the same bits everywhere. For the weights of single
 * tokens; {@link WeightSum} has that of all.
 *
 * <p>{@code x = n ln 2 + r} with {@code |r| <= ln 2 / 2}; {@code exp(r)} by its Taylor series to
 * the thirteenth power (the next term is below 5e-18), times {@code 2^n} by adding to the exponent.
 */
final class NegativeExp {
  /** Below, the result would need a denormal exponent; it is 0 instead. */
  private static final double LOWEST = -708;

  /** Adding it leaves a number rounded to an integer, in the lowest bits. */
  private static final double ROUND = 0x1.8p52;

  private static final double LOG2_E = 0x1.71547652b82fep0;

  /** ln 2 in two parts, the first short enough that its product with n is exact. */
  private static final double LN2_HIGH = 0x1.62e42fee00000p-1;

  private static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  private NegativeExp() {}

  static double of(double x) {
    if (!(x >= LOWEST)) {
      return x < LOWEST ? 0 : Double.NaN;
    }
    double shifted = x * LOG2_E + ROUND;
    double n = shifted - ROUND;
    double r = (x - n * LN2_HIGH) - n * LN2_LOW;
    double p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    return Double.longBitsToDouble(
        Double.doubleToRawLongBits(p) + (Double.doubleToRawLongBits(shifted) << 52));
  }
}
