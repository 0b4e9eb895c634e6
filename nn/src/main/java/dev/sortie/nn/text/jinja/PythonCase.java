package dev.sortie.nn.text.jinja;

import java.util.Locale;

/** Upper, lower and title case. */
final class PythonCase {
  private PythonCase() {}

  static String upper(String text) {
    return text.toUpperCase(Locale.ROOT);
  }

  static String lower(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  /** The first character as a title's, the others in lower case. */
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return titled(text.codePointAt(0)) + lower(text.substring(first));
  }

  /** The first letter after each character that is no letter, as str.title has it. */
  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      boolean cased =
          Character.isLowerCase(c) || Character.isUpperCase(c) || Character.isTitleCase(c);
      out.append(
          !cased ? Character.toString(c) : inWord ? lower(Character.toString(c)) : titled(c));
      inWord = cased;
      i += Character.charCount(c);
    }
    return out.toString();
  }

  /** Jinja's filter: the first letter after white space, a hyphen or an opening bracket. */
  static String titleFilter(String text) {
    StringBuilder out = new StringBuilder();
    int word = 0;
    for (int i = 0; i <= text.length(); i++) {
      boolean separator =
          i < text.length()
              && (PythonSpace.isSpace(text.charAt(i)) || "-({[<".indexOf(text.charAt(i)) >= 0);
      if (separator || i == text.length()) {
        if (i > word) {
          int first = text.offsetByCodePoints(word, 1);
          out.append(upper(text.substring(word, first))).append(lower(text.substring(first, i)));
        }
        if (separator) {
          out.append(text.charAt(i));
        }
        word = i + 1;
      }
    }
    return out.toString();
  }

  private static String titled(int c) {
    String one = Character.toString(c);
    int title = Character.toTitleCase(c);
    return title != c
        ? Character.toString(title)
        : upper(one).length() == one.length() ? upper(one) : special(c);
  }

  /** Characters whose title case is longer than themselves: all but the first letter is lower. */
  private static String special(int c) {
    String upper = upper(Character.toString(c));
    return upper.charAt(0) + lower(upper.substring(1));
  }
}
