package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.nn.InputException;
import java.util.Arrays;

/**
 * Decoding of one text after another that begin alike, such as the turns of a conversation: of a
 * prompt only what differs from the text before is read, the KV cache has the rest. A prompt read
 * in two parts may differ in the last bits from one read at once.
 */
public final class PrefixReuse implements DecodingStrategy {
  private final DecodingStrategy strategy;
  private final int[] read;
  private int reused;

  /**
   * Decoding on {@code strategy}, which is closed with this.
   *
   * @param capacity tokens that it has room for
   */
  public PrefixReuse(DecodingStrategy strategy, int capacity) {
    this.strategy = strategy;
    this.read = new int[capacity];
  }

  /**
   * Makes {@code prompt} the whole text: goes back to where it differs from what was read, and
   * reads from there, at least its last token.
   */
  @Override
  public Step prefill(int[] prompt) {
    if (prompt.length > read.length) {
      throw new InputException(
          "the text has " + prompt.length + " tokens, there is room for " + read.length);
    }
    int position = strategy.position();
    int differs = Arrays.mismatch(read, 0, position, prompt, 0, prompt.length);
    int same = differs < 0 ? position : differs;
    reused = Math.min(same, prompt.length - 1);
    strategy.rewind(reused);
    // first, so that it is true of whatever is read if reading fails half way
    System.arraycopy(prompt, reused, read, reused, prompt.length - reused);
    return strategy.prefill(Arrays.copyOfRange(prompt, reused, prompt.length));
  }

  /** Tokens of the last prompt that were not read again. */
  public int reused() {
    return reused;
  }

  @Override
  public Step next(int token) {
    int position = strategy.position();
    Step step = strategy.next(token);
    read[position] = token; // there was room, or it would have failed
    return step;
  }

  @Override
  public int position() {
    return strategy.position();
  }

  @Override
  public void rewind(int count) {
    strategy.rewind(count);
  }

  @Override
  public void close() {
    strategy.close();
  }
}
