package dev.sortie.eetuning.decode;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The outcome of reading a token.
 *
 * @param logits of the next token, {@code [V]}; valid until the next step
 * @param exit depth of the exit they come from; empty for the final layer
 * @param confidence largest probability of the softmax of these logits
 * @param guess what was guessed for the next token when these logits were computed; empty where
 *     nothing was
 */
public record Step(float[] logits, OptionalInt exit, double confidence, Optional<Guess> guess) {

  /** A step without a guess. */
  public Step(float[] logits, OptionalInt exit, double confidence) {
    this(logits, exit, confidence, Optional.empty());
  }

  /** The same with what was guessed. */
  public Step with(Optional<Guess> guessed) {
    return new Step(logits, exit, confidence, guessed);
  }

  /** The source that guessed {@code id}, if one did. */
  public Optional<String> sourceOf(int id) {
    return guess.filter(g -> g.id() == id).map(Guess::source);
  }

  /**
   * A guessed token.
   *
   * @param id the token
   * @param source name of the {@link dev.sortie.eetuning.decode.speculative.DraftSource}
   */
  public record Guess(int id, String source) {}
}
