package dev.sortie.eetuning.decode.tool;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
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
  private static final JsonLimits LIMITS = new JsonLimits(1 << 20, 64, 1 << 20);

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
      int close = held.indexOf(CLOSE);
      if (close < 0) {
        return pieces;
      }
      String inside = held.substring(OPEN.length(), close);
      int end = close + CLOSE.length();
      Optional<ToolPiece.Call> call = call(inside);
      if (call.isPresent()) {
        pieces.add(call.get());
        held.delete(0, end);
      } else {
        give(end, pieces);
      }
    }
  }

  @Override
  public List<ToolPiece> finish() {
    List<ToolPiece> pieces = new ArrayList<>();
    Optional<ToolPiece.Call> call =
        bare ? call(held.toString()).filter(this::mayBeBare) : Optional.empty();
    if (call.isEmpty()) {
      bare = false; // it may have calls between tags
      pieces.addAll(add(""));
      if (held.indexOf(OPEN) == 0) {
        call = call(held.substring(OPEN.length())); // some models end with the object
      }
    }
    if (call.isPresent()) {
      pieces.add(call.get());
    } else {
      give(held.length(), pieces);
    }
    held.setLength(0);
    return pieces;
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

  private static Optional<ToolPiece.Call> call(String json) {
    try {
      JsonObject object = Json.parse("call", json.strip(), LIMITS);
      Object arguments =
          object.has("arguments")
              ? object.fields().get("arguments")
              : object.fields().get("parameters");
      if (object.fields().get("name") instanceof String name
          && (arguments == null || arguments instanceof JsonObject)) {
        String text = arguments == null ? "{}" : Json.compact(arguments);
        return Optional.of(new ToolPiece.Call(name, text));
      }
      return Optional.empty();
    } catch (InputException e) {
      return Optional.empty();
    }
  }
}
