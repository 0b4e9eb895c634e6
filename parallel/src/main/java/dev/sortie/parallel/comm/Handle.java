package dev.sortie.parallel.comm;

/** A call that runs in parallel to the caller's work. */
public interface Handle {
  /** Whether the call has ended, well or badly. */
  boolean isDone();

  /**
   * Waits for the end. What the call wrote may be read afterwards.
   *
   * @throws CommException if the call failed
   */
  void await();
}
