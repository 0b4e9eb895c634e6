package dev.sortie.nn;

import java.util.Locale;

/** Values from untrusted files and servers, made fit for a one-line message. */
public final class Printable {
  private static final int LONGEST = 80;
  private static final int LONGEST_QUOTED = 1000;

  private Printable() {}

  /**
   * The value; text in quotes, control characters escaped so that no terminal obeys them, cut when
   * long.
   */
  public static String value(Object value) {
    return switch (value) {
      case null -> "null";
      case String s -> '"' + line(s) + '"';
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

  /**
   * Text of a tokenizer in quotation marks, control characters escaped, with line ends readable.
   */
  public static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    int i = 0;
    for (; i < text.length() && out.length() < LONGEST_QUOTED; i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> out.append(Character.isISOControl(c) ? "\\u%04X".formatted((int) c) : c);
      }
    }
    return out.append(i < text.length() ? "…\"" : "\"").toString();
  }

  /** A number of bytes, few ones as they are, many as {@link #size} has them. */
  public static String bytes(long bytes) {
    return bytes < 1024 ? bytes + " B" : size(bytes);
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
