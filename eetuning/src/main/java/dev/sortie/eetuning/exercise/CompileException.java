package dev.sortie.eetuning.exercise;

import dev.sortie.nn.InputException;
import java.util.List;

/** A learner's file does not compile. */
public final class CompileException extends InputException {
  private static final long serialVersionUID = 1L;

  private final transient List<String> lines;

  /**
   * @param lines what the compiler says, as it says it
   */
  CompileException(String message, List<String> lines) {
    super(message);
    this.lines = List.copyOf(lines);
  }

  /** What the compiler says, as it says it. */
  public List<String> lines() {
    return lines;
  }
}
