package dev.sortie.eetuning.decode.tool;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the calls in an answer that has nothing else, for its grammar says so. Arguments are given
 * as they stand there, also where the answer is cut within them. Of a call that is cut before them
 * nothing is given: what stands there is the model's form of a call, and no words.
 */
final class ForcedCallReader implements CallReader {
  private final CallFormat format;
  private final List<String> names;
  private final StringBuilder held = new StringBuilder();

  /** The function that is being called. */
  private Optional<String> name = Optional.empty();

  /** Up to where the arguments were looked at, and how deep these are nested there. */
  private int at;

  private int depth;
  private final JsonQuotes quotes = new JsonQuotes();

  /** Characters after a call that are no part of the next one, and have not come yet. */
  private int skip;

  /**
   * @param names of the functions that may be called
   */
  ForcedCallReader(CallFormat format, List<String> names) {
    this.format = format;
    this.names = names;
  }

  @Override
  public List<ToolPiece> add(String more) {
    held.append(more);
    List<ToolPiece> pieces = new ArrayList<>();
    while (true) {
      int skipped = Math.min(skip, held.length());
      held.delete(0, skipped);
      skip -= skipped;
      if (skip > 0 || name.isEmpty() && !begins() || !argumentsEnd()) {
        return pieces;
      }
      pieces.add(call(held.substring(0, at), false));
      skip = at + format.end().length();
      name = Optional.empty();
      at = 0;
    }
  }

  private boolean begins() {
    int start = held.indexOf(CallFormat.BETWEEN) == 0 ? CallFormat.BETWEEN.length() : 0;
    for (String candidate : names) {
      String begin = format.begin(candidate);
      if (held.length() >= start + begin.length() && held.indexOf(begin, start) == start) {
        name = Optional.of(candidate);
        held.delete(0, start + begin.length());
        return true;
      }
    }
    return false;
  }

  /** Whether the object that the arguments are has come whole. */
  private boolean argumentsEnd() {
    while (at < held.length()) {
      char c = held.charAt(at++);
      if (!quotes.take(c)) {
        if (c == '{' || c == '[') {
          depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
          return true;
        }
      }
    }
    return false;
  }

  private ToolPiece call(String arguments, boolean isCut) {
    return new ToolPiece.Call(name.orElseThrow(), arguments, isCut);
  }

  @Override
  public List<ToolPiece> finish() {
    List<ToolPiece> pieces = new ArrayList<>();
    if (name.isPresent()) {
      pieces.add(call(held.toString(), true));
    }
    held.setLength(0);
    return pieces;
  }
}
