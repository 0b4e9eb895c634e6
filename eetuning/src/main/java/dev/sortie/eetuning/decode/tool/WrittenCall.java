package dev.sortie.eetuning.decode.tool;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonCursor;
import dev.sortie.nn.json.JsonLimits;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A call as a model writes it: an object with {@code name} and {@code arguments} or {@code
 * parameters}. Within the arguments names may repeat, as grammars allow where they do not know all
 * names, so the arguments are given as they stand there.
 */
final class WrittenCall {
  private static final JsonLimits LIMITS = new JsonLimits(1 << 20, 64, 1 << 20);

  private final String text;
  private final Set<String> fields = new HashSet<>();
  private Optional<String> name = Optional.empty();

  /** By the name of the field; without a text where they are no object. */
  private final Map<String, Optional<String>> arguments = new HashMap<>();

  private WrittenCall(String text) {
    this.text = text;
  }

  /** The call that a text is; none where it is something else. */
  static Optional<ToolPiece.Call> of(String text) {
    try {
      return JsonCursor.readRepeating(text, "call", LIMITS, new WrittenCall(text)::read);
    } catch (InputException e) {
      return Optional.empty();
    }
  }

  private Optional<ToolPiece.Call> read(JsonCursor json) {
    if (!json.isObject()) {
      return Optional.empty();
    }
    while (json.nextField()) {
      String field = json.name();
      if (!fields.add(field)) {
        return Optional.empty();
      }
      switch (field) {
        case "name" -> {
          name = json.isString() ? Optional.of(json.text()) : Optional.empty();
          json.skip();
        }
        case "arguments", "parameters" -> readArguments(field, json);
        default -> json.skip();
      }
    }
    Optional<String> given =
        arguments.getOrDefault(
            "arguments", arguments.getOrDefault("parameters", Optional.of("{}")));
    return name.flatMap(n -> given.map(a -> new ToolPiece.Call(n, a, false)));
  }

  private void readArguments(String field, JsonCursor json) {
    if (json.isObject()) {
      int start = json.offset() - 1;
      json.skip();
      arguments.put(field, Optional.of(text.substring(start, json.offset())));
    } else if (!json.isNull()) {
      json.skip();
      arguments.put(field, Optional.empty());
    }
  }
}
