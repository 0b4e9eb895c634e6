package dev.sortie.eetuning.eval;

import dev.sortie.nn.text.Tokenizer;
import java.nio.charset.StandardCharsets;

/** What a token is in a text, as far as its letters tell. */
public enum TokenKind {
  WORD_START("begins a word"),
  WORD_PART("continues a word"),
  NUMBER("digits"),
  PUNCTUATION("punctuation"),
  SPACE("spaces and line breaks"),
  OTHER("special, or mixed");

  private final String label;

  TokenKind(String label) {
    this.label = label;
  }

  /** As people read it. */
  public String label() {
    return label;
  }

  /** The kind of a token after another one. */
  static TokenKind of(Tokenizer tokenizer, int before, int id) {
    if (tokenizer.isSpecial(id)) {
      return OTHER;
    }
    String text = text(tokenizer, id);
    String core = text.strip();
    if (core.isEmpty()) {
      return text.isEmpty() ? OTHER : SPACE;
    }
    if (core.codePoints().allMatch(Character::isLetter)) {
      String last = tokenizer.isSpecial(before) ? " " : text(tokenizer, before);
      boolean inside = !last.isEmpty() && Character.isLetter(last.codePointBefore(last.length()));
      return inside && core.equals(text) ? WORD_PART : WORD_START;
    }
    if (core.codePoints().allMatch(Character::isDigit)) {
      return NUMBER;
    }
    boolean signs = core.codePoints().noneMatch(Character::isLetterOrDigit);
    return signs && core.indexOf('\ufffd') < 0 ? PUNCTUATION : OTHER;
  }

  private static String text(Tokenizer tokenizer, int id) {
    return new String(tokenizer.bytes(id), StandardCharsets.UTF_8);
  }
}
