package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.CodePoints;
import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The objects that a schema allows: properties in the order of the schema, required ones always,
 * and after them others where these are allowed. Where {@code properties} are given, others are
 * allowed only where {@code additionalProperties} says so.
 */
final class ObjectSchema {
  private static final Expression SPACE = new Expression.Call("space");
  private static final int LONGEST_NAME = 1000;

  /** What a name may have without an escape. */
  private static final CodePoints PLAIN =
      CodePoints.range(0, 0x1F).complement().without('"').without('\\');

  private final JsonSchema schemas;
  private final Place place;

  ObjectSchema(JsonSchema schemas, Place place) {
    this.schemas = schemas;
    this.place = place;
  }

  /** A property: name, colon and value. */
  private record Member(Expression expression, boolean required) {}

  Expression expression() {
    Map<String, Place> properties = properties();
    Optional<Place> others = others();
    Set<String> required = required();
    for (String name : required) {
      if (!properties.containsKey(name)) {
        properties.put(
            name,
            others.orElseThrow(
                () ->
                    place.error(
                        "required", "names %s, which is no property".formatted(Json.shown(name)))));
      }
    }
    List<Member> members = new ArrayList<>();
    properties.forEach(
        (name, value) ->
            members.add(
                new Member(
                    member(new Expression.Text(Json.compact(name)), value),
                    required.contains(name))));
    Expression content = content(members, others.map(o -> member(name(properties.keySet()), o)));
    return Expression.sequence(new Expression.Text("{"), SPACE, content, new Expression.Text("}"));
  }

  private Map<String, Place> properties() {
    Map<String, Place> properties = new LinkedHashMap<>();
    switch (place.object().fields().get("properties")) {
      case null -> {}
      case JsonObject o ->
          o.fields()
              .forEach(
                  (name, schema) ->
                      properties.put(name, place.at("properties", o).at(name, schema)));
      default -> throw place.wrong("properties", "an object of schemas");
    }
    return properties;
  }

  /** The schema of properties that are not listed. */
  private Optional<Place> others() {
    Place p = place.at("additionalProperties");
    boolean any =
        p.schema() == null ? !place.object().has("properties") : !Boolean.FALSE.equals(p.schema());
    return any
        ? Optional.of(p.schema() == null ? place.at("additionalProperties", true) : p)
        : Optional.empty();
  }

  private Set<String> required() {
    Set<String> names = new LinkedHashSet<>();
    switch (place.object().fields().get("required")) {
      case null -> {}
      case List<?> list -> {
        for (Object name : list) {
          if (!(name instanceof String s)) {
            throw place.wrong("required", "a list of names");
          }
          names.add(s);
        }
      }
      default -> throw place.wrong("required", "a list of names");
    }
    return names;
  }

  private Expression member(Expression name, Place value) {
    return Expression.sequence(name, new Expression.Text(":"), SPACE, schemas.document(value));
  }

  /**
   * What stands between the braces. A rule for each property says what may follow it, so that any
   * number of optional ones takes a rule each.
   */
  private Expression content(List<Member> members, Optional<Expression> other) {
    Expression comma = Expression.sequence(new Expression.Text(","), SPACE);
    Expression rest =
        other
            .<Expression>map(
                o -> new Expression.Repeat(Expression.sequence(comma, o), 0, Expression.UNBOUNDED))
            .orElse(Expression.EMPTY);
    rest = Expression.sequence(rest, SPACE);
    List<Expression> firsts = new ArrayList<>();
    boolean mayBeEmpty = true;
    if (other.isPresent()) {
      firsts.add(Expression.sequence(other.get(), rest));
    }
    for (int i = members.size() - 1; i >= 0; i--) {
      Member m = members.get(i);
      rest = schemas.rule(place, rest);
      if (m.required()) {
        firsts.clear();
        mayBeEmpty = false;
      }
      firsts.add(Expression.sequence(m.expression(), rest));
      Expression more = Expression.sequence(comma, m.expression());
      rest = Expression.sequence(m.required() ? more : Expression.optional(more), rest);
    }
    if (mayBeEmpty) {
      firsts.add(Expression.EMPTY);
    }
    return new Expression.Choice(firsts.reversed());
  }

  /** A name that is none of the given ones, written without escapes where there are such. */
  private Expression name(Set<String> listed) {
    if (listed.isEmpty()) {
      return new Expression.Call("string");
    }
    Names names = new Names();
    for (String name : listed) {
      if (name.length() > LONGEST_NAME) {
        throw place.error(
            "additionalProperties",
            "is not supported with names of more than %d characters".formatted(LONGEST_NAME));
      }
      names.add(name.codePoints().toArray());
    }
    return Expression.sequence(
        new Expression.Text("\""), names.others(place, schemas), new Expression.Text("\""));
  }

  /** Names that begin alike. */
  private static final class Names {
    private final Map<Integer, Names> next = new TreeMap<>();
    private boolean ends;

    void add(int[] name) {
      Names at = this;
      for (int c : name) {
        at = at.next.computeIfAbsent(c, _ -> new Names());
      }
      at.ends = true;
    }

    /** All texts that are none of the names, as a rule for each beginning of one. */
    Expression others(Place place, JsonSchema schemas) {
      Expression plain = new Expression.OneOf(PLAIN);
      List<CodePoints.Range> taken = new ArrayList<>(PLAIN.complement().ranges());
      List<Expression> alternatives = new ArrayList<>();
      for (Map.Entry<Integer, Names> e : next.entrySet()) {
        if (PLAIN.contains(e.getKey())) {
          taken.add(new CodePoints.Range(e.getKey(), e.getKey()));
          alternatives.add(
              Expression.sequence(
                  new Expression.OneOf(CodePoints.range(e.getKey(), e.getKey())),
                  e.getValue().others(place, schemas)));
        }
      }
      alternatives.add(
          Expression.sequence(
              new Expression.OneOf(new CodePoints(taken).complement()),
              new Expression.Repeat(plain, 0, Expression.UNBOUNDED)));
      if (!ends) {
        alternatives.add(Expression.EMPTY);
      }
      return schemas.rule(place, new Expression.Choice(alternatives));
    }
  }
}
