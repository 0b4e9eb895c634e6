package dev.sortie.eetuning.decode.sampling;

/**
 * What one text asks of its logits before a token is chosen from them: a bias, a penalty, a grammar
 * that forbids tokens. A rule has the state of its text and belongs to it alone; a sampler applies
 * the rules of a text in their order, each to what the one before left. Not thread-safe.
 */
public interface LogitRule {

  /**
   * The text joins that of its prompt, so that the space before its first word is shown. Told
   * before anything else, and only of such a text.
   */
  default void joinsPrompt() {}

  /**
   * Changes the logits of the next token.
   *
   * @param logits {@code [V]}, changed in place; negative infinity forbids a token, and one at
   *     least must be left
   */
  void apply(float[] logits);

  /** A token was chosen and stands in the text now; the prompt's tokens are not told. */
  void chosen(int id);
}
