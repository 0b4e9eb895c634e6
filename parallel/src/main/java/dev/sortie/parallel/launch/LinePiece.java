package dev.sortie.parallel.launch;

import java.util.OptionalInt;

/**
 * A line that a job has printed, or a piece of one: a long line is passed on in several.
 *
 * @param rank that has printed it; empty: the launcher
 * @param error whether on its standard error
 * @param text without a line break
 * @param begins whether its line begins with it
 * @param ends whether its line ends with it
 */
public record LinePiece(
    OptionalInt rank, boolean error, String text, boolean begins, boolean ends) {
  /** A line of the launcher's own. */
  static LinePiece ofLauncher(String line) {
    return new LinePiece(OptionalInt.empty(), true, line, true, true);
  }

  /** Whether it is the next piece of the same line as the last one of its source. */
  public boolean continues(LinePiece last) {
    return !begins && !last.ends && rank.equals(last.rank) && error == last.error;
  }

  /** With the rank in front, as {@code [0] text}. */
  @Override
  public String toString() {
    return rank.isPresent() ? "[" + rank.getAsInt() + "] " + text : text;
  }
}
