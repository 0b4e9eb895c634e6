package dev.sortie.eetuning.exercise;

/**
 * What came of one promise.
 *
 * @param promise what should hold
 * @param outcome whether it does
 * @param message what was measured, or what was found where it does not hold; may be empty
 * @param hint where to look; empty where it holds
 */
public record CheckResult(String promise, Outcome outcome, String message, String hint) {

  /** Whether a promise holds. */
  public enum Outcome {
    /** It holds. */
    PASSED,
    /** It does not. */
    FAILED,
    /** An earlier check did not end. */
    NOT_RUN
  }

  /** Whether it holds. */
  public boolean passed() {
    return outcome == Outcome.PASSED;
  }
}
