package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.nn.json.JsonObject;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The types of JSON values as schemas name them. */
enum JsonType {
  OBJECT("properties", "required", "additionalProperties"),
  ARRAY("items", "prefixItems", "minItems", "maxItems"),
  STRING("minLength", "maxLength", "format"),
  INTEGER(),
  NUMBER("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
  BOOLEAN(),
  NULL();

  /** Keywords that say something about values of this type alone. */
  private final List<String> keywords;

  JsonType(String... keywords) {
    this.keywords = List.of(keywords);
  }

  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The types that a schema names. Where it names none, those of its keywords; where it has none of
   * these either, all.
   */
  static Set<JsonType> of(Place place) {
    JsonObject o = place.object();
    Set<JsonType> types = EnumSet.noneOf(JsonType.class);
    switch (o.fields().get("type")) {
      case null -> {
        for (JsonType type : values()) {
          if (type.keywords.stream().anyMatch(o::contains)) {
            types.add(type);
          }
        }
        if (types.isEmpty()) {
          types.addAll(List.of(OBJECT, ARRAY, STRING, NUMBER, BOOLEAN, NULL));
        }
      }
      case String word -> types.add(named(place, word));
      case List<?> words when !words.isEmpty() -> {
        for (Object word : words) {
          types.add(named(place, word));
        }
        if (types.contains(NUMBER)) {
          types.remove(INTEGER);
        }
      }
      default -> throw place.wrong("type", words());
    }
    return types;
  }

  private static JsonType named(Place place, Object word) {
    for (JsonType type : values()) {
      if (type.word().equals(word)) {
        return type;
      }
    }
    throw place.wrong("type", words());
  }

  private static String words() {
    List<String> words = new ArrayList<>(Arrays.stream(values()).map(JsonType::word).toList());
    return "one of " + String.join(", ", words) + ", or a list of them";
  }

  /** Whether a value is of this type. */
  boolean has(Object value) {
    return switch (this) {
      case OBJECT -> value instanceof JsonObject;
      case ARRAY -> value instanceof List<?>;
      case STRING -> value instanceof String;
      case INTEGER ->
          value instanceof Long
              || value instanceof BigInteger
              || value instanceof Double d && d == Math.rint(d);
      case NUMBER -> value instanceof Number;
      case BOOLEAN -> value instanceof Boolean;
      case NULL -> value == null;
    };
  }
}
