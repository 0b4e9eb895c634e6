package dev.sortie.nn.text.unicode;

/** The four kinds of characters that pre-tokenisers tell apart. */
public final class CharClass {
  /** Neither of the three below. */
  public static final byte OTHER = 0;

  /** General category L. */
  public static final byte LETTER = 1;

  /** General category N. */
  public static final byte NUMBER = 2;

  /** White space, line ends among it. */
  public static final byte SPACE = 3;

  /**
   * One more than the kind of each character of the basic plane, where nearly all text is looked
   * up; zero until it is asked for.
   */
  private static final byte[] BASIC = new byte[0x10000];

  private CharClass() {}

  /** The kind of a code point. */
  public static byte of(int codePoint) {
    if (codePoint >= BASIC.length) {
      return classify(codePoint);
    }
    byte known = BASIC[codePoint];
    if (known == 0) { // threads that come here together write the same
      known = (byte) (1 + classify(codePoint));
      BASIC[codePoint] = known;
    }
    return (byte) (known - 1);
  }

  /** General category N: decimal digits, letter numbers and other numbers. */
  public static boolean isNumber(int codePoint) {
    return of(codePoint) == NUMBER;
  }

  /** The Unicode property White_Space, which differs from Java's idea of white space. */
  public static boolean isSpace(int codePoint) {
    return of(codePoint) == SPACE;
  }

  /** General category M: marks that combine with the character before. */
  public static boolean isMark(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK ->
          true;
      default -> false;
    };
  }

  /** Punctuation as Hugging Face's tokenizers has it: ASCII's symbols, and general category P. */
  public static boolean isPunctuation(int codePoint) {
    if (codePoint < 0x80) {
      return codePoint > ' ' && codePoint < 0x7F && !Character.isLetterOrDigit(codePoint);
    }
    return switch (Character.getType(codePoint)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  /** What {@code \w} means in Unicode regular expressions (UTS 18, annex C). */
  public static boolean isWord(int codePoint) {
    int type = Character.getType(codePoint);
    return Character.isAlphabetic(codePoint)
        || isMark(codePoint)
        || type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.CONNECTOR_PUNCTUATION
        || codePoint == 0x200C
        || codePoint == 0x200D;
  }

  private static byte classify(int codePoint) {
    if (codePoint >= 9 && codePoint <= 13 || codePoint == 0x85) {
      return SPACE;
    }
    return switch (Character.getType(codePoint)) {
      case Character.UPPERCASE_LETTER,
          Character.LOWERCASE_LETTER,
          Character.TITLECASE_LETTER,
          Character.MODIFIER_LETTER,
          Character.OTHER_LETTER ->
          LETTER;
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
          NUMBER;
      case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
          SPACE;
      default -> OTHER;
    };
  }
}
