package dev.sortie.nn.hub;

/**
 * File name patterns, as the hub's tools have them: {@code *} and {@code ?}, which match any
 * character.
 */
final class Wildcards {
  private Wildcards() {}

  /**
   * Whether the text matches. Two places to go back to are enough, so that no pattern takes more
   * than the product of both lengths.
   */
  static boolean matches(String pattern, String text) {
    int p = 0;
    int t = 0;
    int star = -1;
    int resume = 0;
    while (t < text.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        resume = t;
      } else if (p < pattern.length()
          && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))) {
        p++;
        t++;
      } else if (star >= 0) {
        p = star + 1;
        t = ++resume;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }
}
