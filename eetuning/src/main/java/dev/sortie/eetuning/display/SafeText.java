package dev.sortie.eetuning.display;

/**
 * Untrusted text made fit to be shown. A model may write escape sequences that a terminal obeys, or
 * invisible characters that turn the reading direction; here each becomes an escape that is seen.
 */
public final class SafeText {
  private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
  private static final int ZERO_WIDTH_JOINER = 0x200D;
  private static final int REPLACEMENT = 0xFFFD;

  private SafeText() {}

  /**
   * The text with line feeds and tabs as they are. Other control, format and line-separating
   * characters take the form {@code \\u202e}, unpaired surrogates become U+FFFD. The two joiners
   * stay: scripts and emoji need them.
   */
  public static String visible(String text) {
    StringBuilder out = new StringBuilder(text.length());
    wellFormed(text).codePoints().forEach(c -> append(out, c));
    return out.toString();
  }

  /** {@link #visible} on one line: line feeds and tabs become {@code \\n} and {@code \\t}. */
  public static String visibleLine(String text) {
    return visible(text).replace("\n", "\\n").replace("\t", "\\t");
  }

  /**
   * The text as content of HTML and SVG or as a quoted attribute's value; hidden characters become
   * visible.
   */
  public static String html(String text) {
    return visible(text)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  /** The text with each unpaired surrogate replaced by U+FFFD, so that UTF-8 can hold it. */
  public static String wellFormed(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c ->
                out.appendCodePoint(Character.getType(c) == Character.SURROGATE ? REPLACEMENT : c));
    return out.toString();
  }

  private static void append(StringBuilder out, int c) {
    boolean shown =
        switch (Character.getType(c)) {
          case Character.CONTROL -> c == '\n' || c == '\t';
          case Character.FORMAT -> c == ZERO_WIDTH_NON_JOINER || c == ZERO_WIDTH_JOINER;
          case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
          default -> true;
        };
    if (shown) {
      out.appendCodePoint(c);
    } else {
      out.append("\\u%04x".formatted(c));
    }
  }
}
