package dev.sortie.eetuning.decode.grammar.schema;

import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** The keywords of JSON Schema that are known, and what is done with the others. */
final class Keywords {
  /** These say nothing about what is valid. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "example",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "discriminator");

  private static final Set<String> SUPPORTED =
      Set.of(
          "$ref",
          "const",
          "enum",
          "anyOf",
          "oneOf",
          "allOf",
          "type",
          "properties",
          "required",
          "additionalProperties",
          "items",
          "prefixItems",
          "minItems",
          "maxItems",
          "minLength",
          "maxLength",
          "format",
          "minimum",
          "maximum",
          "exclusiveMinimum",
          "exclusiveMaximum");

  /** With these values keywords say nothing. */
  private static final Map<String, Object> WITHOUT_EFFECT =
      Map.of("uniqueItems", false, "minProperties", 0L, "unevaluatedProperties", true);

  private Keywords() {}

  static boolean isAnnotation(String word) {
    return ANNOTATIONS.contains(word);
  }

  /** Refuses what is not supported. */
  static void check(Place place) {
    place
        .object()
        .fields()
        .forEach(
            (word, value) -> {
              boolean says = !Objects.equals(value, WITHOUT_EFFECT.get(word));
              if (says && !SUPPORTED.contains(word) && !ANNOTATIONS.contains(word)) {
                throw place.error(word, "is a keyword that is not supported; leave it out");
              }
            });
  }
}
