package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.unicode.CharTrie;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * What SentencePiece does to a text before it is cut: replacements from a table, the longest string
 * first, but none inside user-defined symbols; runs of spaces become one, and spaces become ▁.
 */
public final class SentencePieceNormalizer implements Normalizer {
  private static final char SPACE = '\u2581';

  private final Optional<PrecompiledCharsMap> map;
  private final boolean addDummyPrefix;
  private final boolean removeExtraSpaces;
  private final CharTrie symbols;

  /**
   * A normalizer.
   *
   * @param source the file, for messages
   * @param map replacements, if any
   * @param addDummyPrefix whether ▁ is put before a text
   * @param removeExtraSpaces whether spaces at the ends, and all but one elsewhere, are left out
   * @param symbols what stays as it is
   */
  public SentencePieceNormalizer(
      String source,
      Optional<PrecompiledCharsMap> map,
      boolean addDummyPrefix,
      boolean removeExtraSpaces,
      List<String> symbols) {
    this.map = map;
    this.addDummyPrefix = addDummyPrefix;
    this.removeExtraSpaces = removeExtraSpaces;
    this.symbols = new CharTrie(source + ": the user-defined symbols");
    for (int i = 0; i < symbols.size(); i++) {
      this.symbols.add(symbols.get(i), i);
    }
  }

  @Override
  public String normalize(String text, Budget budget) {
    StringBuilder out = new StringBuilder(text.length() + 1);
    if (addDummyPrefix && !text.isEmpty()) {
      out.append(SPACE);
    }
    Scan scan = new Scan(text, budget);
    boolean afterSpace = removeExtraSpaces;
    while (!scan.atEnd()) {
      String part = scan.next();
      int from = 0;
      while (afterSpace && from < part.length() && part.charAt(from) == ' ') {
        from++;
      }
      if (from < part.length()) {
        budget.length((long) out.length() + part.length());
        out.append(part.substring(from).replace(' ', SPACE));
        afterSpace = removeExtraSpaces && part.endsWith(" ");
      }
    }
    if (removeExtraSpaces) {
      int end = out.length();
      while (end > 0 && out.charAt(end - 1) == SPACE) {
        end--;
      }
      out.setLength(end);
    }
    return out.toString();
  }

  /** Bytes of a character in UTF-8. */
  private static int width(int c) {
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  }

  /** Goes through a text from one replacement to the next. */
  private final class Scan {
    private final String text;
    private final byte[] utf8;
    private final Budget budget;
    private int at;
    private int byteAt;

    Scan(String text, Budget budget) {
      this.budget = budget;
      this.text = text;
      utf8 = map.isPresent() ? text.getBytes(StandardCharsets.UTF_8) : null;
    }

    boolean atEnd() {
      return at == text.length();
    }

    String next() {
      CharTrie.Match symbol = symbols.longest(text, at, budget);
      if (symbol != null) {
        String whole = text.substring(at, at + symbol.length());
        whole.codePoints().forEach(c -> byteAt += width(c));
        at += symbol.length();
        return whole;
      }
      long found = map.isPresent() ? map.get().longest(utf8, byteAt) : -1;
      if (found < 0) {
        int c = text.codePointAt(at);
        advance(width(c));
        return Character.toString(c);
      }
      advance((int) (found >>> 32));
      return map.get().replacement((int) found, budget);
    }

    /** Moves by so many bytes, which end between two characters. */
    private void advance(int bytes) {
      int end = byteAt + bytes;
      while (byteAt < end) {
        int c = text.codePointAt(at);
        at += Character.charCount(c);
        byteAt += width(c);
      }
    }
  }
}
