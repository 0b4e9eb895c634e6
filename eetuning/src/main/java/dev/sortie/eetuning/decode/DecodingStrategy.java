package dev.sortie.eetuning.decode;

/**
 * How the next token's logits are computed for one sequence. Not thread-safe; close it to free its
 * KV cache.
 */
public interface DecodingStrategy extends AutoCloseable {

  /**
   * Reads a prompt after what was read so far, always at full depth.
   *
   * @param prompt at least one token
   * @return what follows its last token
   */
  Step prefill(int[] prompt);

  /**
   * Reads one token.
   *
   * @param token the token at the next position
   * @return what follows it
   */
  Step next(int token);

  /** Tokens read so far. */
  int position();

  /**
   * Forgets all tokens but the first ones.
   *
   * @param count tokens to keep, 0 to {@link #position}
   */
  void rewind(int count);

  /** What was drafted so far, by strategies that draft. */
  default SpeculationReport speculation() {
    return SpeculationReport.NONE;
  }

  @Override
  void close();
}
