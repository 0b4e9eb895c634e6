package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.nn.json.JsonObject;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The schemas of a {@code oneOf}, of which exactly one must allow a document. A grammar cannot say
 * so; where no document is allowed by two of them, it need not.
 */
final class Branches {
  private static final int MOST = 100;
  private static final int MOST_REFERENCES = 100;

  private final Places places;
  private final Place place;

  Branches(Places places, Place place) {
    this.places = places;
    this.place = place;
  }

  /** Fails unless the schemas are told apart by type, by value or by the value of a property. */
  void requireDistinct(List<Place> branches) {
    if (branches.size() > MOST) {
      throw place.error(
          "oneOf", "has %d schemas, at most %d are supported".formatted(branches.size(), MOST));
    }
    List<Shape> shapes = branches.stream().map(this::shape).toList();
    for (int i = 0; i < shapes.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!shapes.get(i).excludes(shapes.get(j))) {
          throw place.error(
              "oneOf",
              "has schemas %d and %d, which neither their types nor the const of a required property tell apart; write anyOf"
                  .formatted(j, i));
        }
      }
    }
  }

  /**
   * What is known of a schema's documents.
   *
   * @param types that they may have
   * @param values all there are, as {@link Branches#key} has them, where they are listed
   * @param properties by name, the values of those that are there in any case
   */
  private record Shape(
      Set<JsonType> types, Optional<Set<Object>> values, Map<String, Set<Object>> properties) {
    boolean excludes(Shape other) {
      if (types.stream().noneMatch(t -> other.types.stream().anyMatch(o -> overlap(t, o)))) {
        return true;
      }
      if (values.isPresent() && other.values.isPresent()) {
        return distinct(values.get(), other.values.get());
      }
      boolean objects =
          types.equals(Set.of(JsonType.OBJECT)) && other.types.equals(Set.of(JsonType.OBJECT));
      return objects
          && properties.entrySet().stream()
              .anyMatch(
                  e ->
                      other.properties.containsKey(e.getKey())
                          && distinct(e.getValue(), other.properties.get(e.getKey())));
    }

    private static boolean overlap(JsonType a, JsonType b) {
      return a == b || Set.of(a, b).equals(Set.of(JsonType.INTEGER, JsonType.NUMBER));
    }

    private static boolean distinct(Set<Object> a, Set<Object> b) {
      return a.stream().noneMatch(b::contains);
    }
  }

  private Shape shape(Place branch) {
    Place at = resolved(branch);
    Optional<Set<Object>> values = values(at);
    Map<String, Set<Object>> properties = new HashMap<>();
    Set<JsonType> types = Set.of(JsonType.values());
    if (at.schema() instanceof JsonObject o) {
      types = o.contains("type") ? JsonType.of(at) : types;
      if (o.fields().get("properties") instanceof JsonObject p
          && o.fields().get("required") instanceof List<?> required) {
        p.fields()
            .forEach(
                (name, schema) -> {
                  if (required.contains(name)) {
                    values(resolved(at.at("properties", p).at(name, schema)))
                        .ifPresent(v -> properties.put(name, v));
                  }
                });
      }
    }
    return new Shape(types, values, properties);
  }

  private Place resolved(Place from) {
    Place at = from;
    for (int i = 0; i < MOST_REFERENCES; i++) {
      if (!(at.schema() instanceof JsonObject o) || !o.contains("$ref")) {
        return at;
      }
      at = places.resolve(at);
    }
    throw from.error("is a chain of more than %d references".formatted(MOST_REFERENCES));
  }

  private static Optional<Set<Object>> values(Place at) {
    if (!(at.schema() instanceof JsonObject o)) {
      return Optional.empty();
    }
    if (o.contains("const")) {
      return Optional.of(Set.of(key(o.fields().get("const"))));
    }
    if (o.contains("enum")) {
      Set<Object> all = new HashSet<>();
      Literals.values(at).forEach(v -> all.add(key(v.json())));
      return Optional.of(all);
    }
    return Optional.empty();
  }

  /** The same for values that are equal as JSON Schema has it: 1 and 1.0, objects in any order. */
  private static Object key(Object json) {
    return switch (json) {
      case null -> Optional.empty();
      case Number n -> new BigDecimal(n.toString()).stripTrailingZeros();
      case List<?> list -> list.stream().map(Branches::key).toList();
      case JsonObject o -> {
        Map<String, Object> fields = new HashMap<>();
        o.fields().forEach((name, value) -> fields.put(name, key(value)));
        yield fields;
      }
      default -> json;
    };
  }
}
