package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.PromptStates;
import dev.sortie.eetuning.decode.pass.SequenceState;
import dev.sortie.eetuning.decode.single.DraftedText;
import java.util.Optional;

/** One sequence of a {@link BatchDecoder}, with its cache. Close it to free that. */
public final class BatchSequence implements AutoCloseable {
  private final DraftedText text;

  /** Where its cache is in pages of a pool. */
  private final Optional<PagePool.Lease> lease;

  /** Who sees the final hidden states of its prompt. */
  private final Optional<PromptStates> states;

  BatchSequence(DraftedText text, Optional<PagePool.Lease> lease, Optional<PromptStates> states) {
    this.text = text;
    this.lease = lease;
    this.states = states;
  }

  /** Tokens read so far. */
  public int position() {
    return state().position();
  }

  /** Tokens that fit. */
  public int capacity() {
    return state().sequence().capacity();
  }

  /**
   * Forgets all tokens but the first ones.
   *
   * @param count tokens to keep, 0 to {@link #position}; not less than those in pages of a pool
   *     that other sequences may read
   */
  public void rewind(int count) {
    int shared = lease.map(PagePool.Lease::sharedTokens).orElse(0);
    if (count < Math.min(shared, position())) {
      throw new IllegalArgumentException(
          "to keep " + count + " tokens, of which " + shared + " are in shared pages");
    }
    text.rewind(count);
  }

  /** Its pages; of a sequence in a pool. */
  PagePool.Lease pages() {
    return lease.orElseThrow(() -> new IllegalArgumentException("a sequence without a pool"));
  }

  Optional<PromptStates> states() {
    return states;
  }

  DraftedText text() {
    return text;
  }

  SequenceState state() {
    return text.state();
  }

  @Override
  public void close() {
    text.close();
    lease.ifPresent(PagePool.Lease::close);
  }
}
