package dev.sortie.eetuning.decode.tool;

import java.util.List;

/**
 * Finds the calls in an answer that is either calls between tags or words that do not begin as a
 * tag does, for its grammar says so.
 */
public final class CallsOrWordsReader implements CallReader {
  private final CallReader calls;
  private CallReader found;

  /**
   * @param calls reads an answer that calls
   */
  public CallsOrWordsReader(CallReader calls) {
    this.calls = calls;
  }

  @Override
  public List<ToolPiece> add(String more) {
    if (found == null && !more.isEmpty()) {
      found = CallFormat.OPEN.charAt(0) == more.charAt(0) ? calls : new WordsReader();
    }
    return found == null ? List.of() : found.add(more);
  }

  @Override
  public List<ToolPiece> finish() {
    return found == null ? List.of() : found.finish();
  }
}
