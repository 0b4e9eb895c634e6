package dev.sortie.nn.text;

/**
 * How a text is turned into ids.
 *
 * @param addSpecial whether the tokenizer adds what its post-processor asks for, such as BOS
 * @param parseSpecial whether special tokens spelled in the text become their ids; leave it false
 *     for text that a user typed, or the user can forge a turn of a chat
 */
public record EncodeOptions(boolean addSpecial, boolean parseSpecial) {

  /** Adds BOS as the tokenizer asks; special tokens spelled in the text stay text. */
  public static final EncodeOptions DEFAULT = new EncodeOptions(true, false);

  /** Plain text: nothing is added and nothing is parsed. */
  public static final EncodeOptions PLAIN = new EncodeOptions(false, false);
}
