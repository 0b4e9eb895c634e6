package dev.sortie.eetuning.decode;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The outcome of reading a token.
 *
 * @param logits of the next token, {@code [V]}; valid until the next step
 * @param exit depth of the exit they come from; empty for the final layer
 * @param confidence largest probability of the softmax of these logits
 * @param draft the draft token for the next position when these logits were computed; empty where
 *     there was none
 */
public record Step(
    float[] logits, OptionalInt exit, double confidence, Optional<DraftToken> draft) {

  /** A step without a draft. */
  public Step(float[] logits, OptionalInt exit, double confidence) {
    this(logits, exit, confidence, Optional.empty());
  }

  /** The same with what was drafted. */
  public Step with(Optional<DraftToken> token) {
    return new Step(logits, exit, confidence, token);
  }

  /** The source that drafted {@code id}, if one did. */
  public Optional<String> sourceOf(int id) {
    return draft.filter(d -> d.id() == id).map(DraftToken::source);
  }

  /**
   * A draft token.
   *
   * @param id the token
   * @param source name of the {@link dev.sortie.eetuning.decode.speculative.DraftSource}
   */
  public record DraftToken(int id, String source) {}
}
