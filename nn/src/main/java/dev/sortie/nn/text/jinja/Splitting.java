package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Taking strings apart and putting them together. */
final class Splitting {
  private Splitting() {}

  /** Python's split and rsplit. */
  static List<Object> split(String text, boolean fromEnd, Budget budget, BoundArguments arguments) {
    String separator = arguments.string("sep", null);
    int most = arguments.integer("maxsplit", -1);
    arguments.end();
    budget.text(text.length());
    if (separator != null && separator.isEmpty()) {
      throw new ValueException("split() has an empty separator");
    }
    if (fromEnd && most >= 0) {
      return separator == null
          ? blanksFromEnd(text, most, budget)
          : fromEnd(text, separator, most, budget);
    }
    return separator == null ? blanks(text, most, budget) : pieces(text, separator, most, budget);
  }

  private static List<Object> pieces(String text, String separator, int most, Budget budget) {
    List<Object> pieces = new ArrayList<>();
    int from = 0;
    int at;
    while ((most < 0 || pieces.size() < most)
        && (at = Search.indexOf(text, separator, from, budget)) >= 0) {
      budget.items(1);
      pieces.add(text.substring(from, at));
      from = at + separator.length();
    }
    pieces.add(text.substring(from));
    return pieces;
  }

  private static List<Object> fromEnd(String text, String separator, int most, Budget budget) {
    String reversed = new StringBuilder(text).reverse().toString();
    String mark = new StringBuilder(separator).reverse().toString();
    List<Object> pieces = new ArrayList<>();
    for (Object piece : pieces(reversed, mark, most, budget)) {
      pieces.add(new StringBuilder((String) piece).reverse().toString());
    }
    Collections.reverse(pieces);
    return pieces;
  }

  private static List<Object> blanks(String text, int most, Budget budget) {
    List<Object> pieces = new ArrayList<>();
    int from = PythonSpace.skip(text, 0);
    while (from < text.length()) {
      budget.items(1);
      if (most >= 0 && pieces.size() == most) {
        pieces.add(text.substring(from));
        break;
      }
      int end = from;
      while (end < text.length() && !PythonSpace.isSpace(text.charAt(end))) {
        end++;
      }
      pieces.add(text.substring(from, end));
      from = PythonSpace.skip(text, end);
    }
    return pieces;
  }

  private static List<Object> blanksFromEnd(String text, int most, Budget budget) {
    List<Object> pieces = new ArrayList<>();
    String left = PythonSpace.stripEnd(text);
    while (!left.isEmpty()) {
      budget.items(1);
      if (pieces.size() == most) {
        pieces.add(left);
        break;
      }
      int from = left.length();
      while (from > 0 && !PythonSpace.isSpace(left.charAt(from - 1))) {
        from--;
      }
      pieces.add(left.substring(from));
      budget.text(from);
      left = PythonSpace.stripEnd(left.substring(0, from));
    }
    Collections.reverse(pieces);
    return pieces;
  }

  static List<Object> lines(String text, Budget budget, BoundArguments arguments) {
    boolean keep = arguments.truth("keepends", false);
    arguments.end();
    budget.text(text.length());
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      if (isLineEnd(text.charAt(i))) {
        budget.items(1);
        int end = i;
        i += text.startsWith("\r\n", i) ? 1 : 0;
        lines.add(text.substring(from, keep ? i + 1 : end));
        from = i + 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  private static boolean isLineEnd(char c) {
    return c >= 0x0A && c <= 0x0D
        || c >= 0x1C && c <= 0x1E
        || c == 0x85
        || c == 0x2028
        || c == 0x2029;
  }

  /** Python's replace; {@code most} below 0 replaces all. */
  static String replace(String text, String old, String by, int most, Budget budget) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    int count = 0;
    if (old.isEmpty()) {
      return intersperse(text, by, most, budget);
    }
    int at;
    while (count != most && (at = Search.indexOf(text, old, from, budget)) >= 0) {
      budget.text((long) at - from + by.length());
      budget.step();
      out.append(text, from, at).append(by);
      from = at + old.length();
      count++;
    }
    budget.text((long) out.length() + text.length() - from);
    return out.append(text, from, text.length()).toString();
  }

  /** What replacing the empty string does: {@code by} goes before each character and to the end. */
  private static String intersperse(String text, String by, int most, Budget budget) {
    long points = Values.length(text);
    long places = most < 0 ? points + 1 : Math.min(most, points + 1);
    budget.text(text.length() + places * by.length());
    StringBuilder out = new StringBuilder();
    int i = 0;
    for (long place = 0; place <= points; place++) {
      out.append(place < places ? by : "");
      if (i < text.length()) {
        int next = text.offsetByCodePoints(i, 1);
        out.append(text, i, next);
        i = next;
      }
    }
    return out.toString();
  }

  /** The texts of {@code items} with {@code separator} between them. */
  static String join(String separator, List<Object> items, Budget budget) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      String text = PythonText.of(items.get(i), budget);
      budget.text((long) text.length() + separator.length());
      out.append(i == 0 ? "" : separator).append(text);
    }
    budget.text(out.length());
    return out.toString();
  }
}
