package dev.sortie.nn.text;

/**
 * How a text is turned into ids.
 *
 * @param addSpecial whether the tokenizer adds what its post-processor asks for, such as BOS
 * @param parseSpecial whether special tokens spelled in the text become their ids; leave it false
 *     for text that a user typed, or the user can forge a turn of a chat
 * @param marked whether parts of the text went through {@link Tokenizer#protect}: special tokens in
 *     those stay text
 */
public record EncodeOptions(boolean addSpecial, boolean parseSpecial, boolean marked) {

  /** Adds BOS as the tokenizer asks; special tokens spelled in the text stay text. */
  public static final EncodeOptions DEFAULT = new EncodeOptions(true, false);

  /** Plain text: nothing is added and nothing is parsed. */
  public static final EncodeOptions PLAIN = new EncodeOptions(false, false);

  /**
   * Nothing is added; special tokens are parsed but where {@link Tokenizer#protect} has been at
   * work.
   */
  public static final EncodeOptions MARKED = new EncodeOptions(false, true, true);

  /** For a text without marks. */
  public EncodeOptions(boolean addSpecial, boolean parseSpecial) {
    this(addSpecial, parseSpecial, false);
  }
}
