package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.unicode.CharClass;
import java.util.Arrays;
import java.util.Optional;

/**
 * The regular expressions that byte-level tokenizers split text with, each as a scanner written by
 * hand. A scanner looks at each character at most a few times, where a regular expression engine
 * may backtrack without bound on text that somebody else wrote. Each expression matches at every
 * position, so that the pieces joined are the text.
 */
public enum SplitPattern {
  /** GPT-2, and SmolLM after its digits are cut off. */
  GPT2("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+") {
    @Override
    int end(String text, int from) {
      return gpt2End(text, from);
    }
  },
  /** Llama 3 and its kin: up to three digits a piece. */
  LLAMA3(modern("\\p{L}", "\\p{L}", "\\p{N}{1,3}")) {
    @Override
    int end(String text, int from) {
      return modernEnd(text, from, 3, false);
    }
  },
  /** Qwen 2, 2.5 and 3: one digit a piece. */
  QWEN2(modern("\\p{L}", "\\p{L}", "\\p{N}")) {
    @Override
    int end(String text, int from) {
      return modernEnd(text, from, 1, false);
    }
  },
  /** Qwen 3.5: as Qwen 2, but combining marks belong to words. */
  QWEN35(modern("[\\p{L}\\p{M}]", "\\p{L}\\p{M}", "\\p{N}")) {
    @Override
    int end(String text, int from) {
      return modernEnd(text, from, 1, true);
    }
  },
  /** GPT-4o and gpt-oss (o200k): words are cut where a small letter is followed by a capital. */
  O200K(O200kScanner.REGEX) {
    @Override
    int end(String text, int from) {
      return O200kScanner.end(text, from);
    }
  };

  private final String regex;

  SplitPattern(String regex) {
    this.regex = regex;
  }

  /** The expression as {@code tokenizer.json} spells it. */
  public String regex() {
    return regex;
  }

  /** The pattern with exactly this expression. */
  public static Optional<SplitPattern> of(String regex) {
    return Arrays.stream(values()).filter(p -> p.regex.equals(regex)).findFirst();
  }

  /** Where the piece that begins at {@code from} ends; always after {@code from}. */
  abstract int end(String text, int from);

  private static String modern(String letter, String noOther, String digits) {
    return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?%s+|%s".formatted(letter, digits)
        + "| ?[^\\s%s\\p{N}]+[\\r\\n]*".formatted(noOther)
        + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  }

  private static int gpt2End(String text, int from) {
    int first = text.codePointAt(from);
    if (first == '\'') {
      int end = contraction(text, from, false);
      if (end > 0) {
        return end;
      }
    }
    int start = first == ' ' ? from + 1 : from;
    if (start < text.length()) {
      byte kind = CharClass.of(text.codePointAt(start));
      if (kind != CharClass.SPACE) {
        return runEnd(text, start, kind, false);
      }
    }
    return spaceEnd(text, from);
  }

  private static int modernEnd(String text, int from, int digits, boolean marks) {
    int first = text.codePointAt(from);
    byte kind = kind(first, marks);
    if (first == '\'') {
      int end = contraction(text, from, true);
      if (end > 0) {
        return end;
      }
    }
    if (kind == CharClass.LETTER) {
      return runEnd(text, from, CharClass.LETTER, marks);
    }
    if (kind == CharClass.NUMBER) {
      return numberEnd(text, from, digits);
    }
    int next = from + Character.charCount(first);
    byte nextKind = next < text.length() ? kind(text.codePointAt(next), marks) : CharClass.SPACE;
    if (nextKind == CharClass.LETTER && first != '\r' && first != '\n') {
      return runEnd(text, next, CharClass.LETTER, marks);
    }
    if (kind == CharClass.OTHER || first == ' ' && nextKind == CharClass.OTHER) {
      int end = runEnd(text, kind == CharClass.OTHER ? from : next, CharClass.OTHER, marks);
      while (end < text.length() && isNewline(text.charAt(end))) {
        end++;
      }
      return end;
    }
    return spacesEnd(text, from);
  }

  /** White space up to its last line end, else as {@link #spaceEnd}. */
  static int spacesEnd(String text, int from) {
    int end = runEnd(text, from, CharClass.SPACE, false);
    for (int i = end; i > from; i--) {
      if (isNewline(text.charAt(i - 1))) {
        return i;
      }
    }
    return spaceEnd(text, from);
  }

  static boolean isNewline(char c) {
    return c == '\n' || c == '\r';
  }

  /** The kind of a character; marks count as letters where the pattern says so. */
  private static byte kind(int codePoint, boolean marks) {
    byte kind = CharClass.of(codePoint);
    return marks && kind == CharClass.OTHER && CharClass.isMark(codePoint)
        ? CharClass.LETTER
        : kind;
  }

  /** The end of the longest run of one kind. */
  static int runEnd(String text, int from, byte kind, boolean marks) {
    int i = from;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if (kind(c, marks) != kind) {
        break;
      }
      i += Character.charCount(c);
    }
    return i;
  }

  static int numberEnd(String text, int from, int most) {
    int i = from;
    for (int n = 0; n < most && i < text.length(); n++) {
      int c = text.codePointAt(i);
      if (!CharClass.isNumber(c)) {
        break;
      }
      i += Character.charCount(c);
    }
    return i;
  }

  /** White space up to the next word, whose last space is left to that word if there are more. */
  static int spaceEnd(String text, int from) {
    int end = runEnd(text, from, CharClass.SPACE, false);
    return end == text.length() || end == from + 1 ? end : end - 1;
  }

  /** The end of 's, 't, 'm, 'd, 're, 've or 'll at {@code from}, or -1. */
  static int contraction(String text, int from, boolean ignoreCase) {
    if (from + 1 >= text.length()) {
      return -1;
    }
    char a = fold(text.charAt(from + 1), ignoreCase);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
      return from + 2;
    }
    if (from + 2 < text.length()) {
      char b = fold(text.charAt(from + 2), ignoreCase);
      if (a == 'r' && b == 'e' || a == 'v' && b == 'e' || a == 'l' && b == 'l') {
        return from + 3;
      }
    }
    return -1;
  }

  /** Unicode's simple case folding of the letters above; the long s folds to s. */
  private static char fold(char c, boolean ignoreCase) {
    if (!ignoreCase) {
      return c;
    }
    return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c == '\u017F' ? 's' : c;
  }
}
