package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** The grammar of the JSON documents that a schema allows. */
public final class JsonSchema {
  private static final String JSON = "/dev/sortie/eetuning/decode/grammar/json.gbnf";

  /** Each takes some states at least, so more would be refused anyway, but after much work. */
  private static final int MOST_RULES = 50_000;

  private final Places places;
  private final SequencedMap<String, Expression> rules;

  /** Rules by the schema that they are of: schemas that refer to each other need each once. */
  private final Map<JsonObject, String> known = new IdentityHashMap<>();

  private final Deque<Place> open = new ArrayDeque<>();

  private JsonSchema(Places places, SequencedMap<String, Expression> rules) {
    this.places = places;
    this.rules = rules;
  }

  /**
   * The grammar of a schema.
   *
   * @param origin names it in messages
   * @param schema an object, true or false, as it was read
   * @throws dev.sortie.nn.InputException naming keyword and place of what is not supported, or
   *     allows nothing
   */
  public static Grammar grammar(String origin, Object schema) {
    return grammar(origin, schema, Expression.EMPTY, Expression.EMPTY);
  }

  /** The same, with something before the document and something after it. */
  public static Grammar grammar(
      String origin, Object schema, Expression before, Expression behind) {
    SequencedMap<String, Expression> rules = new LinkedHashMap<>(base());
    rules.put(Gbnf.ROOT, Expression.sequence(before, add(origin, schema, "", rules), behind));
    return new Grammar(origin, Gbnf.ROOT, rules);
  }

  /** The grammar of any object. */
  public static Grammar anyObject(String origin) {
    SequencedMap<String, Expression> rules = new LinkedHashMap<>(base());
    rules.put(Gbnf.ROOT, new Expression.Call("object"));
    return new Grammar(origin, Gbnf.ROOT, rules);
  }

  /** The rules of JSON as such, which those of schemas use. */
  public static SequencedMap<String, Expression> base() {
    try (InputStream in = JsonSchema.class.getResourceAsStream(JSON)) {
      return Gbnf.rules("json.gbnf", new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Adds the rules of a schema to others, {@link #base} among them.
   *
   * @param origin names it in messages
   * @param prefix tells the rules of several schemas apart
   * @return the call of its document
   */
  public static Expression add(
      String origin, Object schema, String prefix, SequencedMap<String, Expression> rules) {
    JsonSchema s = new JsonSchema(new Places(origin, schema, prefix), rules);
    Expression document = s.document(s.places.root());
    while (!s.open.isEmpty()) {
      Place place = s.open.poll();
      rules.put(s.known.get(place.object()), s.body(place));
    }
    return document;
  }

  /** A call of the documents of a schema, whose rule is made later. */
  Expression document(Place place) {
    switch (place.schema()) {
      case JsonObject o -> {
        String name = known.get(o);
        if (name == null) {
          requireRoom(place);
          name = place.name(known.size());
          known.put(o, name);
          open.add(place);
        }
        return new Expression.Call(name);
      }
      case Boolean any when any -> {
        return new Expression.Call("value");
      }
      case Boolean _ -> throw place.error("is false, which allows no document; leave it out");
      case null, default ->
          throw place.error("is " + Json.shown(place.schema()) + ", expected a schema");
    }
  }

  /** Adds a rule that a schema needs in addition to that of its documents. */
  Expression rule(Place place, Expression body) {
    requireRoom(place);
    String name = rules.size() + " of " + known.get(place.object());
    rules.put(name, body);
    return new Expression.Call(name);
  }

  private void requireRoom(Place place) {
    if (rules.size() + open.size() >= MOST_RULES) {
      throw place.error("is one part too many: at most %d rules are made".formatted(MOST_RULES));
    }
  }

  private Expression body(Place place) {
    JsonObject o = place.object();
    Keywords.check(place);
    if (o.contains("$ref")) {
      place.requireAlone("$ref");
      return document(places.resolve(place));
    }
    if (o.contains("const")) {
      place.requireAlone("const", "type");
      return Literals.of(place, List.of(new Literals.Value(o.fields().get("const"))));
    }
    if (o.contains("enum")) {
      place.requireAlone("enum", "type");
      return Literals.of(place, Literals.values(place));
    }
    for (String word : List.of("anyOf", "oneOf", "allOf")) {
      if (o.contains(word)) {
        place.requireAlone(word);
        return combined(place, word);
      }
    }
    List<Expression> alternatives = new ArrayList<>();
    for (JsonType type : JsonType.of(place)) {
      alternatives.add(
          switch (type) {
            case OBJECT -> new ObjectSchema(this, place).expression();
            case ARRAY -> new ArraySchema(this, place).expression();
            case STRING -> StringSchema.expression(place);
            case INTEGER, NUMBER -> NumberSchema.expression(place, type);
            case BOOLEAN, NULL -> new Expression.Call(type.word());
          });
    }
    return new Expression.Choice(alternatives);
  }

  private Expression combined(Place place, String word) {
    List<Place> branches = place.items(word);
    if (word.equals("allOf") && branches.size() > 1) {
      throw place.error(
          "allOf", "is supported with one schema, here are %d".formatted(branches.size()));
    }
    if (word.equals("oneOf")) {
      new Branches(places, place).requireDistinct(branches);
    }
    return new Expression.Choice(branches.stream().map(this::document).toList());
  }
}
