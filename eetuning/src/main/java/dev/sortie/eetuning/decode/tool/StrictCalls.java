package dev.sortie.eetuning.decode.tool;

import dev.sortie.eetuning.decode.grammar.CodePoints;
import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.grammar.TriggeredGrammar;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * An answer that may call functions, of which strict ones get arguments that are valid under their
 * schemas. Words are free. A call is in one of the two forms that {@link ToolCallReader} knows:
 * between tags it is one of a function that there is, from the first tag on; an answer that is one
 * object is held to a schema from the name of a strict function on.
 *
 * @param functions that may be called
 * @param strict names of those that are strict, at least one
 * @param several whether anything may follow a call between tags
 */
public record StrictCalls(
    List<ForcedCalls.Function> functions, Set<String> strict, boolean several) {
  private static final CodePoints BLANK =
      new CodePoints(
          List.of(
              new CodePoints.Range(' ', ' '),
              new CodePoints.Range('\t', '\n'),
              new CodePoints.Range('\r', '\r')));

  /** Where the model is free, so that it need not find an end. */
  private static final Expression BLANKS =
      new Expression.Repeat(new Expression.OneOf(BLANK), 0, Expression.UNBOUNDED);

  private static final Expression SPACE = new Expression.Call("space");

  /** Keeps copies. */
  public StrictCalls {
    functions = List.copyOf(functions);
    strict = Set.copyOf(strict);
  }

  /** Finds the calls in such an answer. */
  public CallReader reader() {
    return new ToolCallReader(strict, begin());
  }

  /** How an answer begins that is one object and calls a strict function. */
  private Pattern begin() {
    String names =
        functions.stream()
            .filter(this::isStrict)
            .map(f -> Pattern.quote(Json.compact(f.name())))
            .collect(Collectors.joining("|"));
    return Pattern.compile("B\\{B\"name\"B:B(%s)".replace("B", "[ \\t\\n\\r]*").formatted(names));
  }

  private boolean isStrict(ForcedCalls.Function f) {
    return strict.contains(f.name());
  }

  /**
   * What holds an answer to this.
   *
   * @throws InputException naming the place in a schema that is wrong or not supported
   */
  public TriggeredGrammar grammar(TokenVocabulary vocabulary) {
    return new TriggeredGrammar(Optional.of(object()), tagged(), !several, vocabulary);
  }

  private static Expression text(String text) {
    return new Expression.Text(text);
  }

  /** An answer that is one object. */
  private TriggeredGrammar.Part object() {
    SequencedMap<String, Expression> rules = new LinkedHashMap<>(JsonSchema.base());
    List<Expression> names = new ArrayList<>();
    List<Expression> calls = new ArrayList<>();
    for (ForcedCalls.Function f : functions) {
      if (isStrict(f)) {
        names.add(text(Json.compact(f.name())));
        calls.add(fromName(f, rules));
      }
    }
    return new TriggeredGrammar.Part(
        grammar(new LinkedHashMap<>(), named(BLANKS, new Expression.Choice(names))),
        grammar(rules, named(BLANKS, new Expression.Choice(calls))));
  }

  /** A call between tags. */
  private TriggeredGrammar.Part tagged() {
    SequencedMap<String, Expression> rules = new LinkedHashMap<>(JsonSchema.base());
    List<Expression> calls = new ArrayList<>();
    for (ForcedCalls.Function f : functions) {
      calls.add(fromName(f, rules));
    }
    return new TriggeredGrammar.Part(
        grammar(new LinkedHashMap<>(), text(CallFormat.OPEN)),
        grammar(
            rules,
            Expression.sequence(
                text(CallFormat.OPEN),
                named(SPACE, new Expression.Choice(calls)),
                SPACE,
                text(CallFormat.CLOSE))));
  }

  /** The beginning of a call, and what follows from the name on. */
  private static Expression named(Expression blank, Expression fromName) {
    return Expression.sequence(
        blank, text("{"), blank, text("\"name\""), blank, text(":"), blank, fromName);
  }

  private Expression fromName(ForcedCalls.Function f, SequencedMap<String, Expression> rules) {
    return Expression.sequence(
        text(Json.compact(f.name())),
        SPACE,
        text(","),
        SPACE,
        Expression.choice(text("\"arguments\""), text("\"parameters\"")),
        SPACE,
        text(":"),
        SPACE,
        isStrict(f) ? ForcedCalls.arguments(f, rules) : new Expression.Call("object"),
        SPACE,
        text("}"));
  }

  private static Grammar grammar(SequencedMap<String, Expression> rules, Expression root) {
    rules.put(Gbnf.ROOT, root);
    return new Grammar("tools", Gbnf.ROOT, rules);
  }
}
