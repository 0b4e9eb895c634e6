package dev.sortie.eetuning.decode.tool;

import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * An answer that must be a call of one of these functions.
 *
 * @param functions at least one
 * @param format how a call is written down
 * @param several whether more calls may follow the first, where the format allows that
 */
public record ForcedCalls(List<Function> functions, CallFormat format, boolean several) {
  private static final int MOST_CALLS = 8;

  /**
   * A function that may be the one to be called.
   *
   * @param name its name
   * @param parameters schema of its arguments; without one it has none
   * @param origin names the schema in errors
   */
  public record Function(String name, Optional<JsonObject> parameters, String origin) {

    /** Whether arguments can be held to its schema: nothing in it is wrong or not supported. */
    public boolean isSupported() {
      try {
        ForcedCalls.arguments(this, new LinkedHashMap<>(JsonSchema.base()));
        return true;
      } catch (InputException e) {
        return false;
      }
    }
  }

  /** Keeps a copy. */
  public ForcedCalls {
    functions = List.copyOf(functions);
  }

  /** Finds the calls in such an answer. */
  public CallReader reader() {
    return new ForcedCallReader(format, functions.stream().map(Function::name).toList());
  }

  /** All that the grammar is made from: equal texts, equal grammars. */
  public String source() {
    StringBuilder source = new StringBuilder("calls " + several + " " + format);
    functions.forEach(
        f ->
            source
                .append("\n" + Json.compact(f.name()))
                .append(f.parameters().map(Json::compact).orElse("")));
    return source.toString();
  }

  /**
   * Calls of the functions, as a model must write them.
   *
   * @throws InputException naming the place in a schema that is wrong or not supported
   */
  public Grammar grammar() {
    SequencedMap<String, Expression> rules = new LinkedHashMap<>(JsonSchema.base());
    rules.put(Gbnf.ROOT, add(rules));
    return new Grammar("tools", Gbnf.ROOT, rules);
  }

  /**
   * Adds the rules of the calls to others, those of {@link JsonSchema#base} among them.
   *
   * @return an answer that calls
   */
  public Expression add(SequencedMap<String, Expression> rules) {
    List<Expression> calls = new ArrayList<>();
    for (Function f : functions) {
      calls.add(
          Expression.sequence(
              new Expression.Text(format.begin(f.name())),
              arguments(f, rules),
              new Expression.Text(format.end())));
    }
    rules.put("call", new Expression.Choice(calls));
    Expression more =
        Expression.sequence(new Expression.Text(CallFormat.BETWEEN), new Expression.Call("call"));
    return Expression.sequence(
        new Expression.Call("call"),
        new Expression.Repeat(more, 0, several && format.several() ? MOST_CALLS - 1 : 0));
  }

  /** The arguments of a function, whose rules are added to others. */
  static Expression arguments(Function f, SequencedMap<String, Expression> rules) {
    return f.parameters()
        .map(p -> arguments(f.origin(), p, rules))
        .orElse(new Expression.Text("{}"));
  }

  private static Expression arguments(
      String origin, JsonObject parameters, SequencedMap<String, Expression> rules) {
    if (parameters.fields().isEmpty()) {
      return new Expression.Call("object");
    }
    if (!"object".equals(parameters.fields().get("type"))) {
      throw new InputException(
          "%s.type is %s, expected object"
              .formatted(origin, Json.shown(parameters.fields().get("type"))));
    }
    return JsonSchema.add(origin, parameters, origin, rules);
  }
}
