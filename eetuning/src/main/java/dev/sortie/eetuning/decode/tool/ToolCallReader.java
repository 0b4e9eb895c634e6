package dev.sortie.eetuning.decode.tool;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds calls of functions in an answer as it grows: objects between {@code <tool_call>} and {@code
 * </tool_call>}, as the templates of Hermes, Qwen and SmolLM ask for, or an answer that is one
 * object, as Llama gives. An object has {@code name} and {@code arguments} or {@code parameters};
 * what is none is given as text, unchanged.
 */
public final class ToolCallReader implements CallReader {
  private static final String OPEN = CallFormat.OPEN;
  private static final String CLOSE = CallFormat.CLOSE;

  private final StringBuilder held = new StringBuilder();

  /** Nothing but white space has come. */
  private boolean atStart = true;

  /** The answer began as an object: it is held until its end. */
  private boolean bare;

  private final Set<String> strict;
  private final Pattern begin;

  /** Nothing has come. */
  public ToolCallReader() {
    this(Set.of(), Pattern.compile(""));
  }

  /**
   * Nothing has come.
   *
   * @param strict functions whose calls must be held to their schemas
   * @param begin how an answer begins that is one object and was held to such a schema; one that
   *     calls a strict function and begins otherwise is text
   */
  ToolCallReader(Set<String> strict, Pattern begin) {
    this.strict = strict;
    this.begin = begin;
  }

  @Override
  public List<ToolPiece> add(String more) {
    held.append(more);
    if (atStart && !held.toString().isBlank()) {
      atStart = false;
      bare = held.toString().stripLeading().startsWith("{");
    }
    List<ToolPiece> pieces = new ArrayList<>();
    if (bare || atStart) {
      return pieces;
    }
    while (true) {
      int open = held.indexOf(OPEN);
      if (open < 0) {
        give(held.length() - possible(), pieces);
        return pieces;
      }
      give(open, pieces);
      int close = close();
      if (close < 0) {
        return pieces;
      }
      endCall(close, pieces);
    }
  }

  /**
   * Where the tag begins that ends a call; -1 where it has not come. Strings may have such tags.
   */
  private int close() {
    JsonQuotes quotes = new JsonQuotes();
    for (int i = OPEN.length(); i < held.length(); i++) {
      if (!quotes.take(held.charAt(i)) && held.charAt(i) == '<' && held.indexOf(CLOSE, i) == i) {
        return i;
      }
    }
    return -1;
  }

  private void endCall(int close, List<ToolPiece> pieces) {
    int end = close + CLOSE.length();
    Optional<ToolPiece.Call> call = WrittenCall.of(held.substring(OPEN.length(), close));
    if (call.isPresent()) {
      pieces.add(call.get());
      held.delete(0, end);
    } else {
      give(end, pieces);
    }
  }

  @Override
  public List<ToolPiece> finish() {
    List<ToolPiece> pieces = new ArrayList<>();
    Optional<ToolPiece.Call> call =
        bare ? WrittenCall.of(held.toString()).filter(this::mayBeBare) : Optional.empty();
    if (call.isEmpty()) {
      bare = false; // it may have calls between tags
      pieces.addAll(add(""));
      call = lastCall(pieces);
    }
    if (call.isPresent()) {
      pieces.add(call.get());
    } else {
      give(held.length(), pieces);
    }
    held.setLength(0);
    return pieces;
  }

  /** The call at the end of an answer without a tag that ends it, as some models give. */
  private Optional<ToolPiece.Call> lastCall(List<ToolPiece> pieces) {
    while (held.indexOf(OPEN) == 0) {
      Optional<ToolPiece.Call> call = WrittenCall.of(held.substring(OPEN.length()));
      int close = held.indexOf(CLOSE);
      if (call.isPresent() || close < 0) {
        return call;
      }
      endCall(close, pieces); // its quotation marks are none of JSON
      pieces.addAll(add(""));
    }
    return Optional.empty();
  }

  private boolean mayBeBare(ToolPiece.Call call) {
    return !strict.contains(call.name()) || begin.matcher(held).lookingAt();
  }

  private void give(int count, List<ToolPiece> pieces) {
    if (count > 0) {
      pieces.add(new ToolPiece.Text(held.substring(0, count)));
      held.delete(0, count);
    }
  }

  /** Length of the longest end that may be the beginning of a call. */
  private int possible() {
    for (int n = Math.min(OPEN.length() - 1, held.length()); n > 0; n--) {
      if (OPEN.startsWith(held.substring(held.length() - n))) {
        return n;
      }
    }
    return 0;
  }
}
