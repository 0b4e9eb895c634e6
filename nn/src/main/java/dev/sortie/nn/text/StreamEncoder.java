package dev.sortie.nn.text;

/**
 * Text to token ids part by part, so that a long text need not be in memory. The ids of all calls,
 * one after another, are those of the parts joined. For one text and one thread.
 */
public interface StreamEncoder {
  /**
   * The ids that text to come cannot change; maybe none yet.
   *
   * @throws dev.sortie.nn.InputException if the text has an unpaired surrogate, or is long and has
   *     no place to cut it
   */
  int[] next(String part);

  /** The ids of the rest of the text. */
  int[] finish();
}
