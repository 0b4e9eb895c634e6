package dev.sortie.eetuning.serve.engine;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;

/** What happens to one of the texts of a {@link TextEvents}. */
public sealed interface TextEvent {

  /** Which text, from 0. */
  int text();

  /** A token was generated. */
  record Token(int text, GeneratedToken token) implements TextEvent {}

  /**
   * The text has ended.
   *
   * @param read tokens of its prompt that were read or found; fewer than all where it was cancelled
   *     before
   * @param found tokens of its prompt that were found in the cache
   */
  record End(int text, Generation generation, int read, int found) implements TextEvent {}

  /** There will be no text. */
  record Failure(int text, Throwable cause) implements TextEvent {}
}
