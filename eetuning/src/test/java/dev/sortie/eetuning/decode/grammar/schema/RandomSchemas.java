package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Random schemas, and what is valid under them, by the words of the specification. */
final class RandomSchemas {
  private static final JsonLimits LIMITS = new JsonLimits(1 << 20, 200, 1 << 20);

  private RandomSchemas() {}

  static Map<String, Object> next(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 9 : 6)) {
      case 0 -> bounded(random, "string", "minLength", "maxLength", 4);
      case 1 -> bounded(random, "integer", "minimum", "maximum", 3000);
      case 2 -> bounded(random, "number", "minimum", "maximum", 50);
      case 3 -> Json.object("type", random.nextBoolean() ? "boolean" : "null");
      case 4 -> Json.object("enum", List.of("a", 1L, List.of("b", true), "\"\\é", -2.5));
      case 5 -> Json.object("const", random.nextInt(1000));
      case 6 -> array(random, depth);
      case 7 -> object(random, depth);
      default -> Json.object("anyOf", List.of(next(random, depth - 1), next(random, depth - 1)));
    };
  }

  private static Map<String, Object> bounded(
      Random random, String type, String least, String most, int range) {
    Map<String, Object> schema = Json.object("type", type);
    int from = type.equals("string") ? random.nextInt(range) : random.nextInt(range) - range / 2;
    if (random.nextBoolean()) {
      schema.put(least, from);
    }
    if (random.nextBoolean()) {
      schema.put(most, from + random.nextInt(range));
    }
    return schema;
  }

  private static Map<String, Object> array(Random random, int depth) {
    Map<String, Object> schema = bounded(random, "array", "minItems", "maxItems", 3);
    schema.replaceAll((key, value) -> value instanceof Integer n ? Math.max(0, n) : value);
    if (random.nextInt(3) > 0) {
      schema.put("items", next(random, depth - 1));
    }
    if (random.nextInt(3) == 0) {
      schema.put("prefixItems", List.of(next(random, depth - 1), next(random, depth - 1)));
    }
    return schema;
  }

  private static Map<String, Object> object(Random random, int depth) {
    Map<String, Object> properties = new LinkedHashMap<>();
    List<String> required = new ArrayList<>();
    for (String name : List.of("a", "ab", "b\"", "é")) {
      if (random.nextBoolean()) {
        properties.put(name, next(random, depth - 1));
        if (random.nextBoolean()) {
          required.add(name);
        }
      }
    }
    Map<String, Object> schema = Json.object("type", "object", "properties", properties);
    schema.put("required", required);
    switch (random.nextInt(3)) {
      case 0 -> schema.put("additionalProperties", false);
      case 1 -> schema.put("additionalProperties", next(random, depth - 1));
      default -> {}
    }
    return schema;
  }

  /**
   * Whether a document is valid. Where a name comes twice in it, it is not looked at: that names
   * differ is the only thing that a grammar cannot say of JSON.
   */
  static boolean allows(JsonObject schema, String document) {
    try {
      return isValid(
          schema, Json.parse("document", "{\"v\":" + document + "}", LIMITS).fields().get("v"));
    } catch (InputException e) {
      return e.getMessage().contains("Duplicate field");
    }
  }

  private static boolean isValid(Object schema, Object value) {
    if (!(schema instanceof JsonObject s)) {
      return Boolean.TRUE.equals(schema);
    }
    Map<String, Object> words = s.fields();
    return words.entrySet().stream().allMatch(e -> isValid(e.getKey(), e.getValue(), words, value));
  }

  private static boolean isValid(String word, Object is, Map<String, Object> words, Object value) {
    return switch (word) {
      case "type" -> type((String) is, value);
      case "enum" -> ((List<?>) is).stream().anyMatch(v -> same(v, value));
      case "const" -> same(is, value);
      case "anyOf" -> ((List<?>) is).stream().anyMatch(v -> isValid(v, value));
      case "minLength" ->
          !(value instanceof String t) || t.codePointCount(0, t.length()) >= number(is);
      case "maxLength" ->
          !(value instanceof String t) || t.codePointCount(0, t.length()) <= number(is);
      case "minimum" -> !(value instanceof Number n) || n.doubleValue() >= number(is);
      case "maximum" -> !(value instanceof Number n) || n.doubleValue() <= number(is);
      case "minItems" -> !(value instanceof List<?> l) || l.size() >= number(is);
      case "maxItems" -> !(value instanceof List<?> l) || l.size() <= number(is);
      case "prefixItems" -> !(value instanceof List<?> l) || items((List<?>) is, l);
      case "items" -> !(value instanceof List<?> l) || rest(is, words, l);
      case "properties" -> !(value instanceof JsonObject o) || properties((JsonObject) is, o);
      case "required" ->
          !(value instanceof JsonObject o) || o.fields().keySet().containsAll((List<?>) is);
      case "additionalProperties" ->
          !(value instanceof JsonObject o)
              || o.fields().entrySet().stream()
                  .filter(e -> !((JsonObject) words.get("properties")).contains(e.getKey()))
                  .allMatch(e -> isValid(is, e.getValue()));
      default -> throw new IllegalArgumentException(word);
    };
  }

  private static double number(Object n) {
    return ((Number) n).doubleValue();
  }

  private static boolean same(Object a, Object b) {
    return Json.compact(a).equals(Json.compact(b));
  }

  private static boolean items(List<?> schemas, List<?> values) {
    for (int i = 0; i < Math.min(schemas.size(), values.size()); i++) {
      if (!isValid(schemas.get(i), values.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean rest(Object schema, Map<String, Object> words, List<?> values) {
    int listed = words.get("prefixItems") instanceof List<?> l ? l.size() : 0;
    return values.stream().skip(listed).allMatch(v -> isValid(schema, v));
  }

  private static boolean properties(JsonObject schemas, JsonObject value) {
    return schemas.fields().entrySet().stream()
        .allMatch(
            e ->
                !value.contains(e.getKey())
                    || isValid(e.getValue(), value.fields().get(e.getKey())));
  }

  private static boolean type(String word, Object value) {
    return switch (word) {
      case "string" -> value instanceof String;
      case "integer" -> value instanceof Long;
      case "number" -> value instanceof Number;
      case "boolean" -> value instanceof Boolean;
      case "null" -> value == null;
      case "array" -> value instanceof List<?>;
      case "object" -> value instanceof JsonObject;
      default -> throw new IllegalArgumentException(word);
    };
  }
}
