package dev.sortie.eetuning.decode.single;

import dev.sortie.eetuning.decode.DecodingStrategy;
import dev.sortie.eetuning.decode.Step;
import dev.sortie.nn.InputException;
import dev.sortie.tensor.kernel.Kernels;
import java.util.Arrays;

/**
 * Decoding of one text after another that begin alike, such as the turns of a conversation: of a
 * prompt only what differs from the text before is read, the KV cache has the rest. There are two
 * rules for what of the cache serves again:
 *
 * <ul>
 *   <li>All of it. Then a prompt read in two parts may differ in the last bits from one read at
 *       once.
 *   <li>{@linkplain #exact Only tokens of prompts that were read in passes of more than} {@link
 *       Kernels#ROW_STABLE} rows, in front of a rest of as many: these have the same bits however a
 *       prompt is cut ({@link dev.sortie.eetuning.decode.pass.ChunkedPrefill}). Then each prompt
 *       has the bits of one read whole, whatever was read before it. An answer is read again in the
 *       next turn, for its tokens were read one by one.
 * </ul>
 */
public final class PrefixReuse implements DecodingStrategy {
  private final DecodingStrategy strategy;
  private final int[] read;
  private final boolean exact;

  /** Tokens that every prompt reads at its end. */
  private final int least;

  /** Tokens from the beginning that have the bits of a prompt read whole. */
  private int whole;

  private int reused;

  /**
   * Decoding on {@code strategy}, which is closed with this; all that was read serves again.
   *
   * @param capacity tokens that it has room for
   */
  public PrefixReuse(DecodingStrategy strategy, int capacity) {
    this(strategy, capacity, false);
  }

  private PrefixReuse(DecodingStrategy strategy, int capacity, boolean exact) {
    this.strategy = strategy;
    this.read = new int[capacity];
    this.exact = exact;
    this.least = exact ? Kernels.ROW_STABLE + 1 : 1;
  }

  /**
   * Decoding on {@code strategy}, which is closed with this; each prompt has the bits of one read
   * whole.
   *
   * @param capacity tokens that it has room for
   */
  public static PrefixReuse exact(DecodingStrategy strategy, int capacity) {
    return new PrefixReuse(strategy, capacity, true);
  }

  /** Tokens that there is room for. */
  public int capacity() {
    return read.length;
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
    reused = Math.min(same(prompt), Math.max(0, prompt.length - least));
    return read(prompt, reused, prompt.length);
  }

  /**
   * Reads a piece of a prompt that may still change: goes back to where it differs from what was
   * read, and reads from there, but not where so little is unread that {@link #prefill} would read
   * it again.
   *
   * @param prompt how the next prompt begins
   * @param most tokens to read, more than {@link Kernels#ROW_STABLE}
   * @return whether anything was read
   */
  public boolean readAhead(int[] prompt, int most) {
    int from = same(prompt);
    if (prompt.length > read.length || prompt.length - from < least) {
      return false;
    }
    read(prompt, from, Math.min(prompt.length, from + most));
    return true;
  }

  /** Tokens at the beginning of {@code prompt} that need not be read again. */
  private int same(int[] prompt) {
    int known = exact ? whole : strategy.position();
    int differs = Arrays.mismatch(read, 0, known, prompt, 0, prompt.length);
    return differs < 0 ? known : differs;
  }

  private Step read(int[] prompt, int from, int to) {
    rewind(from);
    // first, so that it is true of whatever is read if reading fails half way
    System.arraycopy(prompt, from, read, from, to - from);
    Step step = strategy.prefill(Arrays.copyOfRange(prompt, from, to));
    whole = to - from > Kernels.ROW_STABLE ? to : whole;
    return step;
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
    whole = Math.min(whole, count);
  }

  @Override
  public void close() {
    strategy.close();
  }
}
