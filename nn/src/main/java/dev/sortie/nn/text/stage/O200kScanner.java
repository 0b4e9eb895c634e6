package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.unicode.CharClass;

/**
 * The expression that GPT-4o's and gpt-oss's tokenizers split with. Its words are capitals followed
 * by small letters; letters without case and marks count as both.
 */
final class O200kScanner {
  private static final String CAPITAL = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String SMALL = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String PREFIX = "[^\\r\\n\\p{L}\\p{N}]?";
  private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";

  static final String REGEX =
      PREFIX
          + CAPITAL
          + "*"
          + SMALL
          + "+"
          + CONTRACTION
          + "|"
          + PREFIX
          + CAPITAL
          + "+"
          + SMALL
          + "*"
          + CONTRACTION
          + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final int NEITHER = 0;
  private static final int CAPITAL_ONLY = 1;
  private static final int SMALL_ONLY = 2;
  private static final int BOTH = 3;

  private O200kScanner() {}

  static int end(String text, int from) {
    int first = text.codePointAt(from);
    int next = from + Character.charCount(first);
    byte kind = CharClass.of(first);
    boolean prefix =
        kind != CharClass.LETTER && kind != CharClass.NUMBER && first != '\r' && first != '\n';
    int end = prefix ? wordWithSmall(text, next) : -1;
    end = end < 0 ? wordWithSmall(text, from) : end;
    end = end < 0 && prefix ? capitals(text, next) : end;
    end = end < 0 ? capitals(text, from) : end;
    if (end >= 0) {
      int contracted =
          end < text.length() && text.charAt(end) == '\''
              ? SplitPattern.contraction(text, end, true)
              : -1;
      return Math.max(end, contracted);
    }
    if (kind == CharClass.NUMBER) {
      return SplitPattern.numberEnd(text, from, 3);
    }
    return other(text, from, first, next);
  }

  /**
   * Capitals and letters that may be such, as many as there are, then small letters, at least one.
   * Where none follows, the last of the capitals that may also be small takes that place and ends
   * the word, as giving back character by character would find. -1 if there is none either.
   */
  private static int wordWithSmall(String text, int from) {
    int lastBoth = -1;
    int i = from;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      int kind = letter(c);
      if (kind != CAPITAL_ONLY && kind != BOTH) {
        break;
      }
      i += Character.charCount(c);
      lastBoth = kind == BOTH ? i : lastBoth;
    }
    int end = smalls(text, i);
    return end > i ? end : lastBoth;
  }

  /** Capitals, at least one, then small letters; -1 if there is no capital. */
  private static int capitals(String text, int from) {
    int i = from;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if ((letter(c) & CAPITAL_ONLY) == 0) {
        break;
      }
      i += Character.charCount(c);
    }
    return i == from ? -1 : smalls(text, i);
  }

  private static int smalls(String text, int from) {
    int i = from;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if ((letter(c) & SMALL_ONLY) == 0) {
        break;
      }
      i += Character.charCount(c);
    }
    return i;
  }

  private static int letter(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> CAPITAL_ONLY;
      case Character.LOWERCASE_LETTER -> SMALL_ONLY;
      case Character.MODIFIER_LETTER,
          Character.OTHER_LETTER,
          Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.COMBINING_SPACING_MARK ->
          BOTH;
      default -> NEITHER;
    };
  }

  /** Neither a word nor a number: punctuation with the line ends after it, or white space. */
  private static int other(String text, int from, int first, int next) {
    boolean isOther = CharClass.of(first) == CharClass.OTHER;
    boolean afterSpace =
        first == ' '
            && next < text.length()
            && CharClass.of(text.codePointAt(next)) == CharClass.OTHER;
    if (isOther || afterSpace) {
      int end = SplitPattern.runEnd(text, isOther ? from : next, CharClass.OTHER, false);
      while (end < text.length()
          && (SplitPattern.isNewline(text.charAt(end)) || text.charAt(end) == '/')) {
        end++;
      }
      return end;
    }
    return SplitPattern.spacesEnd(text, from);
  }
}
