package dev.sortie.benchmarks.compare;

/** Both sides of a comparison ran, but did not compute the same; a ratio would mean nothing. */
public final class DisagreementException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with its one-line message. */
  public DisagreementException(String message) {
    super(message);
  }
}
