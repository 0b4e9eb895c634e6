package dev.sortie.nn.text.stage;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.budget.Search;
import dev.sortie.nn.text.unicode.ByteAlphabet;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * How tokens become text: steps, one after another, as the decoder of {@code tokenizer.json}. A
 * step sees tokens and gives tokens; what the last one gives is joined.
 *
 * @param steps in order; {@link ByteLevel} only as the first, {@link ByteFallback} and {@link
 *     Metaspace} only before tokens are fused
 */
public record TokenDecoding(List<Step> steps) {

  /** Tokens spell bytes in the alphabet of byte-level BPE. */
  public static final TokenDecoding BYTE_LEVEL = of(new ByteLevel());

  /** Keeps a copy, and refuses an order that has no meaning. */
  public TokenDecoding {
    steps = List.copyOf(steps);
    boolean fused = false;
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      if (step instanceof ByteLevel && i > 0
          || fused && (step instanceof ByteFallback || step instanceof Metaspace)) {
        throw new IllegalArgumentException(
            step.getClass().getSimpleName() + " cannot come as step " + (i + 1) + " of " + steps);
      }
      fused |= step instanceof Fuse || step instanceof ByteLevel;
    }
  }

  /** These steps. */
  public static TokenDecoding of(Step... steps) {
    return new TokenDecoding(List.of(steps));
  }

  /** One step. */
  public sealed interface Step {}

  /**
   * Tokens spell bytes in the alphabet of byte-level BPE; the bytes joined are UTF-8, one token.
   */
  public record ByteLevel() implements Step {}

  /**
   * Tokens such as {@code <0xE2>} are bytes; a run of them is UTF-8 together, or U+FFFD for each.
   */
  public record ByteFallback() implements Step {}

  /** All tokens become one. */
  public record Fuse() implements Step {}

  /**
   * Each occurrence of a string in a token becomes another.
   *
   * @param pattern not empty
   */
  public record Replace(String pattern, String content) implements Step {}

  /**
   * A character is taken off both ends of each token.
   *
   * @param start how many at most at the start
   * @param stop how many at most at the end
   */
  public record Strip(char content, int start, int stop) implements Step {}

  /**
   * The visible character that stands for a space becomes one.
   *
   * @param dropFirst whether it is left out, not made a space, in the first token
   */
  public record Metaspace(char replacement, boolean dropFirst) implements Step {}

  /** Whether tokens spell bytes. */
  public boolean isByteLevel() {
    return !steps.isEmpty() && steps.getFirst() instanceof ByteLevel;
  }

  /** The bytes of one token in the middle of a text, a part of a character maybe. */
  public byte[] bytes(String token, Budget budget) {
    if (isByteLevel()) {
      return ByteAlphabet.bytes(token); // later steps are for characters
    }
    String text = token;
    for (Step step : steps) {
      switch (step) {
        case ByteFallback _ -> {
          int value = fallbackByte(text);
          if (value >= 0) {
            return new byte[] {(byte) value};
          }
        }
        case Replace r -> text = Search.replace(text, r.pattern(), r.content(), budget);
        case Metaspace m -> text = text.replace(m.replacement(), ' ');
        case ByteLevel _, Fuse _, Strip _ -> {} // at the ends of a text alone
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The byte that a token such as {@code <0xE2>} stands for, or -1. */
  public static int fallbackByte(String token) {
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
  public static String fallbackToken(int unsignedByte) {
    return "<0x%02X>".formatted(unsignedByte);
  }
}
