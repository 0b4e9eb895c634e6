package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import java.time.LocalDateTime;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.util.Locale;

/** Times by C's strftime, in English. */
final class Strftime {
  /** Steps that a field takes. */
  private static final int FIELD = 8;

  private Strftime() {}

  static String format(String format, LocalDateTime time, Budget budget) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      budget.steps(FIELD);
      boolean unpadded = format.startsWith("-", i + 1);
      i += unpadded ? 2 : 1;
      out.append(field(i < format.length() ? format.charAt(i) : 0, unpadded, time));
    }
    return budget.made(out.toString());
  }

  private static String field(char code, boolean unpadded, LocalDateTime t) {
    String name =
        switch (code) {
          case 'B' -> t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
          case 'b', 'h' ->
              t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
          case 'A' -> t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
          case 'a' ->
              t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
          case 'p' -> t.getHour() < 12 ? "AM" : "PM";
          case 'F' -> "%04d-%02d-%02d".formatted(t.getYear(), t.getMonthValue(), t.getDayOfMonth());
          case 'T' -> "%02d:%02d:%02d".formatted(t.getHour(), t.getMinute(), t.getSecond());
          case 'n' -> "\n";
          case 't' -> "\t";
          case '%' -> "%";
          default -> null;
        };
    if (name != null) {
      return name;
    }
    return switch (code) {
      case 'Y' -> number(t.getYear(), 4, unpadded);
      case 'y' -> number(t.getYear() % 100, 2, unpadded);
      case 'm' -> number(t.getMonthValue(), 2, unpadded);
      case 'd' -> number(t.getDayOfMonth(), 2, unpadded);
      case 'j' -> number(t.getDayOfYear(), 3, unpadded);
      case 'H' -> number(t.getHour(), 2, unpadded);
      case 'I' -> number(t.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2, unpadded);
      case 'M' -> number(t.getMinute(), 2, unpadded);
      case 'S' -> number(t.getSecond(), 2, unpadded);
      default ->
          throw new ValueException(
              "strftime_now() with " + PythonText.quoted("%" + code) + " is not supported");
    };
  }

  private static String number(int value, int width, boolean unpadded) {
    return unpadded ? Integer.toString(value) : ("%0" + width + "d").formatted(value);
  }
}
