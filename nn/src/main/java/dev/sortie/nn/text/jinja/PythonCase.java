package dev.sortie.nn.text.jinja;

import java.util.Locale;
import java.util.function.UnaryOperator;

/** Upper, lower and title case. */
final class PythonCase {
  /** Punctuation that stands inside words, by Unicode's property Word_Break. */
  private static final String IGNORED_IN_WORDS =
      "'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";

  private PythonCase() {}

  /**
   * A piece of this length is changed at once, unless it is ASCII. Where a character becomes
   * several, the JDK copies all before it, so that long texts would take quadratic time.
   */
  private static final int PIECE = 1 << 7;

  private static final char SIGMA = '\u03A3';

  static String upper(String text) {
    return changed(text, 0, text.length(), piece -> piece.toUpperCase(Locale.ROOT));
  }

  static String lower(String text) {
    return lower(text, 0, text.length());
  }

  /** A part of a text in lower case; what stands around it says whether a sigma is final. */
  private static String lower(String text, int from, int to) {
    if (text.indexOf(SIGMA, from, to) < 0) {
      return changed(text, from, to, piece -> piece.toLowerCase(Locale.ROOT));
    }
    StringBuilder out = new StringBuilder(to - from);
    int start = from;
    for (int at; (at = text.indexOf(SIGMA, start, to)) >= 0; start = at + 1) {
      out.append(changed(text, start, at, piece -> piece.toLowerCase(Locale.ROOT)));
      out.append(isFinal(text, at) ? '\u03C2' : '\u03C3');
    }
    return out.append(changed(text, start, to, piece -> piece.toLowerCase(Locale.ROOT))).toString();
  }

  private static String changed(String text, int from, int to, UnaryOperator<String> change) {
    if (to - from <= PIECE || isAscii(text, from, to)) {
      return change.apply(text.substring(from, to));
    }
    StringBuilder out = new StringBuilder(to - from);
    int end;
    for (int start = from; start < to; start = end) {
      end = Math.min(to, start + PIECE);
      end -= end < to && Character.isLowSurrogate(text.charAt(end)) ? 1 : 0;
      out.append(change.apply(text.substring(start, end)));
    }
    return out.toString();
  }

  private static boolean isAscii(String text, int from, int to) {
    for (int i = from; i < to; i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  /**
   * Whether a capital sigma ends a word: after a cased letter and before none, where characters
   * that have no case of their own, such as marks and apostrophes, do not count (Unicode Standard
   * 3.13, Final_Sigma).
   */
  private static boolean isFinal(String text, int at) {
    int before = at;
    while (before > 0 && isCaseIgnorable(text.codePointBefore(before))) {
      before -= Character.charCount(text.codePointBefore(before));
    }
    if (before == 0 || !isCased(text.codePointBefore(before))) {
      return false;
    }
    int after = at + 1;
    while (after < text.length() && isCaseIgnorable(text.codePointAt(after))) {
      after += Character.charCount(text.codePointAt(after));
    }
    return after == text.length() || !isCased(text.codePointAt(after));
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static boolean isCaseIgnorable(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.FORMAT,
          Character.MODIFIER_LETTER,
          Character.MODIFIER_SYMBOL ->
          true;
      default -> IGNORED_IN_WORDS.indexOf(c) >= 0;
    };
  }

  /** The first character as a title's, the others in lower case. */
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return titled(text.codePointAt(0)) + lower(text, first, text.length());
  }

  /** The first letter after each character that is no letter, as str.title has it. */
  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inWord = false;
    int end;
    for (int i = 0; i < text.length(); i = end) {
      int c = text.codePointAt(i);
      end = i + Character.charCount(c);
      boolean cased = isCased(c);
      out.append(!cased ? Character.toString(c) : inWord ? lower(text, i, end) : titled(c));
      inWord = cased;
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
