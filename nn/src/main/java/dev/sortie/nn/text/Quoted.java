package dev.sortie.nn.text;

/** Text of a file inside a message: on one line, and never long. */
final class Quoted {
  private static final int LONGEST = 1000;

  private Quoted() {}

  /** The text in quotation marks, control characters escaped. */
  static String of(String text) {
    StringBuilder out = new StringBuilder("\"");
    int i = 0;
    for (; i < text.length() && out.length() < LONGEST; i++) {
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
}
