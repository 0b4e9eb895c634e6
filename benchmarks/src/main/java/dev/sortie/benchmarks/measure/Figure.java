package dev.sortie.benchmarks.measure;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.stream.DoubleStream;

/** Measured numbers as they are written. */
public final class Figure {
  private static final MathContext DIGITS = new MathContext(4);

  private Figure() {}

  /** Four significant digits: more than a measurement holds. */
  public static double rounded(double value) {
    return new BigDecimal(value).round(DIGITS).doubleValue();
  }

  /** The same as text, without an exponent. */
  public static String text(double value) {
    return new BigDecimal(value).round(DIGITS).stripTrailingZeros().toPlainString();
  }

  /** Geometric mean; 1 of none. */
  public static double geomean(DoubleStream ratios) {
    return Math.exp(ratios.map(Math::log).average().orElse(0));
  }
}
