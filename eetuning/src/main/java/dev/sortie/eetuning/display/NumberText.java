package dev.sortie.eetuning.display;

import java.math.BigDecimal;
import java.util.Locale;

/** Numbers as people read them, the same in every locale. */
public final class NumberText {
  private static final String NONE = "-";

  private NumberText() {}

  /** With a fixed number of decimals and thousands separated: 1,234.5. A dash for NaN. */
  public static String fixed(double value, int decimals) {
    return text("%,.", value, decimals);
  }

  /** The same without separators: 1234.5. */
  public static String ungrouped(double value, int decimals) {
    return text("%.", value, decimals);
  }

  private static String text(String start, double value, int decimals) {
    return Double.isNaN(value) ? NONE : String.format(Locale.ROOT, start + decimals + "f", value);
  }

  /** A share of 1 in percent: 96.4%. A dash for NaN. */
  public static String percent(double share) {
    return Double.isNaN(share) ? NONE : fixed(100 * share, 1) + "%";
  }

  /** A threshold or tick without trailing zeros: 0.8, 250. */
  public static String plain(double value) {
    BigDecimal rounded = new BigDecimal(String.format(Locale.ROOT, "%.6f", value));
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }

  /** A large count with its unit: 12.3 million. */
  public static String count(long value) {
    if (value >= 1_000_000_000) {
      return fixed(value / 1e9, 2) + " billion";
    }
    return value >= 1_000_000 ? fixed(value / 1e6, 1) + " million" : fixed(value, 0);
  }
}
