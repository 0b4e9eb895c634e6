package dev.sortie.nn.format;

import java.util.Locale;

/** Values from untrusted files and servers, made fit for a one-line message. */
public final class Show {
  private static final int LONGEST = 80;

  private Show() {}

  /**
   * The value; text in quotes, control characters escaped so that no terminal obeys them, cut when
   * long.
   */
  public static String value(Object value) {
    return switch (value) {
      case null -> "null";
      case String s -> '"' + line(s) + '"';
      case JsonObject o -> "an object";
      default -> line(value.toString());
    };
  }

  /** The text on one line, with the same care. */
  public static String line(String text) {
    return line(text, LONGEST);
  }

  /** The same, cut after {@code longest} characters. */
  public static String line(String text, int longest) {
    StringBuilder out = new StringBuilder();
    int shown = Math.min(text.length(), longest);
    for (int i = 0; i < shown; i++) {
      char c = text.charAt(i);
      int type = Character.getType(c);
      boolean hidden =
          type == Character.CONTROL
              || type == Character.FORMAT
              || type == Character.SURROGATE
              || type == Character.LINE_SEPARATOR
              || type == Character.PARAGRAPH_SEPARATOR;
      if (hidden) {
        out.append("\\u%04x".formatted((int) c));
      } else {
        out.append(c);
      }
    }
    return text.length() > shown ? out + "… (" + text.length() + " characters)" : out.toString();
  }

  /** A number of bytes in KiB, MiB, GiB or TiB. */
  public static String size(long bytes) {
    String[] units = {"KiB", "MiB", "GiB", "TiB"};
    double value = bytes / 1024.0;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }
}
