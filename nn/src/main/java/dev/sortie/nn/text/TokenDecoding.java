package dev.sortie.nn.text;

import java.util.List;

/** How tokens become text, as the decoder of {@code tokenizer.json}. */
public sealed interface TokenDecoding {

  /** Tokens spell bytes in the alphabet of byte-level BPE; the bytes joined are UTF-8. */
  record ByteLevel() implements TokenDecoding {}

  /**
   * Tokens are text, as SentencePiece writes it.
   *
   * @param replacements applied to each token in order
   * @param byteFallback whether tokens such as {@code <0xE2>} are bytes; a run of them is UTF-8
   *     together, or U+FFFD for each
   * @param strip the character taken off the start of the text
   * @param stripStart how many of it at most
   */
  record Pieces(List<Replacement> replacements, boolean byteFallback, char strip, int stripStart)
      implements TokenDecoding {
    /** Keeps a copy. */
    public Pieces {
      replacements = List.copyOf(replacements);
    }
  }

  /** A string and what stands for it. */
  record Replacement(String pattern, String content) {}

  /**
   * Tokens are text whose spaces are a visible character.
   *
   * @param replacement the visible character
   * @param dropFirst whether it is left out, not made a space, in the first token
   */
  record Metaspace(char replacement, boolean dropFirst) implements TokenDecoding {}

  /** The byte that a token such as {@code <0xE2>} stands for, or -1. */
  static int fallbackByte(String token) {
    if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(token.charAt(3), 16);
    int low = Character.digit(token.charAt(4), 16);
    return high < 0 || low < 0 || token.charAt(3) > 'f' || token.charAt(4) > 'f'
        ? -1
        : high << 4 | low;
  }

  /** The token of a byte, as {@link #fallbackByte} reads it. */
  static String fallbackToken(int unsignedByte) {
    return "<0x%02X>".formatted(unsignedByte);
  }
}
