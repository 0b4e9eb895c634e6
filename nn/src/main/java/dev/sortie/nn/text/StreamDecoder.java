package dev.sortie.nn.text;

/**
 * Turns ids into text one by one. The pieces, joined with what {@link #finish()} returns, are
 * exactly what {@link Tokenizer#decode(int[])} gives for all ids at once. Not thread-safe.
 */
public interface StreamDecoder {

  /**
   * The text that {@code id} makes certain. It is empty while a UTF-8 character or a run of byte
   * tokens is still incomplete.
   *
   * @throws IllegalArgumentException if {@code id} is negative
   */
  String next(int id);

  /** The text still held back, with invalid bytes as U+FFFD; the decoder then starts anew. */
  String finish();
}
