package dev.sortie.nn.text.jinja;

/** White space as Python's str.isspace has it, which is not Java's. */
final class PythonSpace {
  private PythonSpace() {}

  /** All such characters lie in the basic plane. */
  static boolean isSpace(char c) {
    return c >= 0x09 && c <= 0x0D
        || c >= 0x1C && c <= 0x20
        || c == 0x85
        || c == 0xA0
        || c == 0x1680
        || c >= 0x2000 && c <= 0x200A
        || c == 0x2028
        || c == 0x2029
        || c == 0x202F
        || c == 0x205F
        || c == 0x3000;
  }

  static boolean isBlank(String text, int from, int to) {
    return skip(text, from) >= to;
  }

  /** The first position from {@code from} on that has no white space. */
  static int skip(String text, int from) {
    int i = from;
    while (i < text.length() && isSpace(text.charAt(i))) {
      i++;
    }
    return i;
  }

  static String stripEnd(String text) {
    int end = text.length();
    while (end > 0 && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }
}
