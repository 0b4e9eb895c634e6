package dev.sortie.nn.text.budget;

/** Finds a text in a text, in time that hostile texts cannot make quadratic. */
public final class Search {
  /** So short a part the JDK's own search, which may try each place to its end, finds in time. */
  private static final int SHORT = 8;

  /** And in so few places. Its worst case is then a few microseconds, for at least one step. */
  private static final int FEW = 1 << 10;

  private Search() {}

  /** The first offset of {@code part} from {@code from} on, or -1. */
  public static int indexOf(String text, String part, int from, Budget budget) {
    int left = text.length() - from;
    boolean fast = part.length() <= SHORT || (long) left * part.length() <= FEW;
    int at = fast ? text.indexOf(part, from) : knuthMorrisPratt(text, part, from);
    long looked = (at < 0 ? left : at - from) + (fast ? 0L : part.length());
    budget.steps(looked / 32 + 1);
    return at;
  }

  /** The text with each occurrence of a string that is not empty replaced by another. */
  public static String replace(String text, String old, String by, Budget budget) {
    if (by.length() <= old.length() && old.length() <= SHORT) {
      return text.replace(old, by);
    }
    int at = indexOf(text, old, 0, budget);
    if (at < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (; at >= 0; at = indexOf(text, old, from, budget)) {
      budget.length((long) out.length() + at - from + by.length());
      out.append(text, from, at).append(by);
      from = at + old.length();
    }
    budget.length((long) out.length() + text.length() - from);
    return out.append(text, from, text.length()).toString();
  }

  /** Of each beginning of {@code part} the length of the longest shorter one that it ends with. */
  public static int[] borders(String part) {
    int[] border = new int[part.length()];
    int k = 0;
    for (int i = 1; i < part.length(); i++) {
      while (k > 0 && part.charAt(i) != part.charAt(k)) {
        k = border[k - 1];
      }
      k += part.charAt(i) == part.charAt(k) ? 1 : 0;
      border[i] = k;
    }
    return border;
  }

  private static int knuthMorrisPratt(String text, String part, int from) {
    if (part.length() > text.length() - from) {
      return -1;
    }
    int[] border = borders(part);
    int k = 0;
    for (int i = from; i < text.length(); i++) {
      while (k > 0 && text.charAt(i) != part.charAt(k)) {
        k = border[k - 1];
      }
      k += text.charAt(i) == part.charAt(k) ? 1 : 0;
      if (k == part.length()) {
        return i - k + 1;
      }
    }
    return -1;
  }
}
