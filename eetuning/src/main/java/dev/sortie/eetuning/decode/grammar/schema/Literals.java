package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Values that a schema lists. */
final class Literals {
  private Literals() {}

  /** A value of JSON, null among them. */
  record Value(Object json) {
    String text() {
      return Json.compact(json);
    }
  }

  /** The values of {@code enum}. */
  static List<Value> values(Place place) {
    if (!(place.object().fields().get("enum") instanceof List<?> list) || list.isEmpty()) {
      throw place.wrong("enum", "a list of at least one value");
    }
    List<Value> values = new ArrayList<>();
    list.forEach(item -> values.add(new Value(item)));
    return values;
  }

  /** Those of some values that are of the schema's type. */
  static Expression of(Place place, List<Value> values) {
    Set<JsonType> types =
        place.object().contains("type") ? JsonType.of(place) : Set.of(JsonType.values());
    List<Expression> texts = new ArrayList<>();
    for (Value value : values) {
      if (types.stream().anyMatch(type -> type.has(value.json()))) {
        texts.add(new Expression.Text(value.text()));
      }
    }
    if (texts.isEmpty()) {
      throw place.error("type", "is the type of none of the values");
    }
    return new Expression.Choice(texts);
  }
}
