package dev.sortie.nn.text.jinja;

/**
 * A variable, attribute or item that is not there. It may be printed (as nothing), looped over and
 * tested; any other use fails.
 *
 * @param reason why it is not there
 */
record Undefined(String reason) {
  ValueException failure() {
    return new ValueException(reason);
  }
}
