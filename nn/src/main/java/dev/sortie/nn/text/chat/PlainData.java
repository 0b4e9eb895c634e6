package dev.sortie.nn.text.chat;

import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** JSON as the plain values that templates work on. */
final class PlainData {
  private PlainData() {}

  static Map<String, Object> map(JsonObject object) {
    return map(object.fields());
  }

  private static Map<String, Object> map(Map<?, ?> fields) {
    Map<String, Object> map = new LinkedHashMap<>();
    fields.forEach((name, value) -> map.put((String) name, of(value)));
    return map;
  }

  /** The same value with each text in it, and each name of a field, mapped. */
  static Object mapped(Object value, UnaryOperator<String> text, UnaryOperator<String> name) {
    return switch (value) {
      case String s -> text.apply(s);
      case Map<?, ?> map -> {
        Map<String, Object> copy = new LinkedHashMap<>();
        map.forEach(
            (field, item) -> copy.put(name.apply((String) field), mapped(item, text, name)));
        yield copy;
      }
      case List<?> list -> {
        List<Object> items = new ArrayList<>(list.size());
        list.forEach(item -> items.add(mapped(item, text, name)));
        yield items;
      }
      case null, default -> value;
    };
  }

  /** Recursion is bounded by the depth limit of the JSON reader. */
  static Object of(Object value) {
    return switch (value) {
      case JsonObject object -> map(object);
      case Map<?, ?> map -> map(map);
      case List<?> list -> {
        List<Object> items = new ArrayList<>(list.size());
        list.forEach(item -> items.add(of(item)));
        yield items;
      }
      case Integer i -> Long.valueOf(i);
      case Float f -> Double.valueOf(f);
      case null, default -> value;
    };
  }
}
