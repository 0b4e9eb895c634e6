package dev.sortie.eetuning.exercise;

/**
 * One promise that a solution must keep.
 *
 * @param promise what holds, in a few words
 * @param hint where to look if it does not
 * @param body tries it
 */
record Check(String promise, String hint, Body body) {

  /** Tries a promise. */
  @FunctionalInterface
  interface Body {
    /**
     * Throws, with a message for the learner, if the promise does not hold.
     *
     * @return what was measured; empty if nothing was
     */
    String run() throws Exception;
  }

  /** Tries a promise and measures nothing. */
  @FunctionalInterface
  interface Assertion {
    /** Throws, with a message for the learner, if the promise does not hold. */
    void run() throws Exception;
  }

  /** A check that measures nothing. */
  static Check of(String promise, String hint, Assertion assertion) {
    return new Check(
        promise,
        hint,
        () -> {
          assertion.run();
          return "";
        });
  }

  /**
   * Fails unless something holds.
   *
   * @throws AssertionError with the message
   */
  static void require(boolean holds, String message, Object... values) {
    if (!holds) {
      throw new AssertionError(message.formatted(values));
    }
  }
}
