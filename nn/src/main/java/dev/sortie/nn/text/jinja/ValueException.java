package dev.sortie.nn.text.jinja;

/** An operation that its operands do not allow; whoever knows the place makes an error of it. */
final class ValueException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ValueException(String message) {
    super(message, null, false, false);
  }
}
