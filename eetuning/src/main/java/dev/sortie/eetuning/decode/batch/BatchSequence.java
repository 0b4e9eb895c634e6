package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.pass.SequenceProgress;
import java.util.Arrays;
import java.util.Optional;

/** One sequence of a {@link BatchDecoder}, with its cache. Close it to free that. */
public final class BatchSequence implements AutoCloseable {
  private final SequenceProgress progress;

  /** Where its cache is in pages of a pool. */
  private final Optional<PagePool.Lease> lease;

  BatchSequence(SequenceProgress progress, Optional<PagePool.Lease> lease) {
    this.progress = progress;
    this.lease = lease;
    lease.ifPresent(l -> found(l.prompt(), l.reused()));
  }

  /** Another sequence has read the first {@code count} tokens. */
  private void found(int[] prompt, int count) {
    progress.text().read(progress.sequence().ops(), 0, Arrays.copyOf(prompt, count));
    progress.readByAll(count);
  }

  /** Tokens read so far. */
  public int position() {
    return progress.position();
  }

  /** Tokens that fit. */
  public int capacity() {
    return progress.sequence().capacity();
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
    progress.rewind(count);
  }

  Optional<PagePool.Lease> lease() {
    return lease;
  }

  SequenceProgress progress() {
    return progress;
  }

  @Override
  public void close() {
    progress.close();
    lease.ifPresent(PagePool.Lease::close);
  }
}
