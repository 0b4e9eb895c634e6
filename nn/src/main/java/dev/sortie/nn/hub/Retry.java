package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import java.time.Duration;

/** Tries of one piece of work, with growing waits between them. */
final class Retry {
  private final String what;
  private final RetryPolicy policy;
  private final PullListener listener;
  private int failures;

  /** Work that may fail for a while. */
  @FunctionalInterface
  interface Work<T> {
    /** One try. */
    T run() throws TransientException;
  }

  Retry(String what, RetryPolicy policy, PullListener listener) {
    this.what = what;
    this.policy = policy;
    this.listener = listener;
  }

  /** Tries until it succeeds or patience ends. */
  <T> T run(Work<T> work) {
    while (true) {
      try {
        return work.run();
      } catch (TransientException e) {
        waitAfter(e);
      }
    }
  }

  /** The work got further by so many bytes: failures before that do not count. */
  void progressed(long bytes) {
    if (bytes >= policy.least()) {
      failures = 0;
    }
  }

  /**
   * Waits before the next try.
   *
   * @throws InputException if it was the last, or the server wants a longer wait than is bearable
   */
  void waitAfter(TransientException e) {
    failures++;
    if (failures >= policy.attempts()) {
      throw new InputException(
          "%s: %s, %d times in a row; try again later, what has come is kept"
              .formatted(what, e.getMessage(), failures),
          e);
    }
    Duration wait = e.retryAfter().orElse(policy.wait(failures));
    if (wait.compareTo(policy.longestWait()) > 0) {
      throw new InputException(
          "%s: %s, and asks for a wait of %d s; try again then, what has come is kept"
              .formatted(what, e.getMessage(), wait.toSeconds()),
          e);
    }
    listener.note(
        "%s: %s; trying again in %.1f s".formatted(what, e.getMessage(), wait.toMillis() / 1e3));
    try {
      Thread.sleep(wait);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new InputException(what + ": interrupted; what has come is kept", interrupted);
    }
  }
}
