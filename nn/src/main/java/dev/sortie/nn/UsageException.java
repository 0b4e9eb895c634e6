package dev.sortie.nn;

/**
 * A command line is wrong whatever its files hold: an unknown word, a value outside its range,
 * options that exclude or need each other. Commands print the message alone and end with 2.
 */
public final class UsageException extends InputException {
  private static final long serialVersionUID = 1L;

  /** An error with its one-line message. */
  public UsageException(String message) {
    super(message);
  }

  /** An error with its one-line message and the cause, which is shown only on request. */
  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
