package dev.sortie.eetuning.decode.batch;

import dev.sortie.eetuning.decode.Generation;
import java.util.concurrent.CompletableFuture;

/** What a {@link Scheduler} gives for a request. Thread-safe. */
public final class RequestHandle {
  private final Request request;
  private final CompletableFuture<Generation> result = new CompletableFuture<>();
  private volatile boolean cancelled;
  private volatile int found;
  private volatile int read;

  RequestHandle(Request request) {
    this.request = request;
  }

  Request request() {
    return request;
  }

  /**
   * Done when the text is: with it, or with why there is none. Completed in the scheduler's thread.
   */
  public CompletableFuture<Generation> result() {
    return result;
  }

  /**
   * Ends the text with the token being computed, at once if there is none; its result is then what
   * there is, finished for {@code cancelled}.
   */
  public void cancel() {
    cancelled = true;
  }

  /** Tokens of its prompt that were found in the cache and not read; 0 before it is admitted. */
  public int found() {
    return found;
  }

  void found(int tokens) {
    found = tokens;
  }

  /** Tokens of its prompt that were read, or found, when its text ended. */
  public int read() {
    return read;
  }

  void read(int tokens) {
    read = tokens;
  }

  boolean isCancelled() {
    return cancelled;
  }
}
