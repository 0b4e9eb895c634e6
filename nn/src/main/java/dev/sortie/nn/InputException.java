package dev.sortie.nn;

/**
 * Something that the user gave is wrong and can be corrected: a file, a field, an option. The
 * message is one line that names the file, the field and both values, and says what to do. Commands
 * print the message alone and end with 1, or with 2 after a {@link UsageException}; nothing is
 * half-written.
 */
public class InputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with its one-line message. */
  public InputException(String message) {
    super(message);
  }

  /** An error with its one-line message and the cause, which is shown only on request. */
  public InputException(String message, Throwable cause) {
    super(message, cause);
  }
}
