package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.grammar.Expression;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The form that an answer must have, if a request says one: JSON, JSON under a schema, a text of a
 * grammar, or calls of functions.
 *
 * @param rule holds a text to it; empty for free text
 * @param json the form, where it is JSON
 */
record AnswerForm(Optional<Supplier<LogitRule>> rule, Optional<JsonForm> json) {
  private static final String GRAMMAR = "grammar";
  private static final String TYPES = "text, json_object or json_schema";

  /**
   * A form of JSON.
   *
   * @param param the field that asks for it
   * @param source all that it is made from
   * @param document adds its rules to those of {@link JsonSchema#base}; its documents come back
   */
  record JsonForm(
      String param,
      String source,
      Function<SequencedMap<String, Expression>, Expression> document) {

    /** The grammar of an answer in this form. */
    Grammar grammar() {
      return grammar(_ -> new Expression.Choice(List.of()));
    }

    /**
     * The same, or something else.
     *
     * @param other adds its rules to those that are there
     */
    Grammar grammar(Function<SequencedMap<String, Expression>, Expression> other) {
      SequencedMap<String, Expression> rules = new LinkedHashMap<>(JsonSchema.base());
      Expression documents = document.apply(rules);
      rules.put(Gbnf.ROOT, Expression.choice(documents, other.apply(rules)));
      return new Grammar(param, Gbnf.ROOT, rules);
    }
  }

  /** A form that calls of functions give. */
  AnswerForm(Supplier<LogitRule> rule) {
    this(Optional.of(rule), Optional.empty());
  }

  /** As {@code response_format} and {@code grammar} say. */
  static AnswerForm of(RequestFields f, Grammars grammars) {
    Optional<RequestFields> format = f.fields("response_format");
    Optional<JsonForm> asked =
        format.flatMap(
            given ->
                json(
                    given,
                    () ->
                        given
                            .fields("json_schema")
                            .orElseThrow(() -> given.missing("json_schema", "name and schema")),
                    "response_format.json_schema.schema"));
    format.ifPresent(AnswerForm::checkUnused);
    return of(f, asked, "response_format", grammars);
  }

  /** A schema that another type leaves without effect must still be one. */
  private static void checkUnused(RequestFields format) {
    if (!asksForSchema(format) && format.has("json_schema")) {
      RequestFields d = format.fields("json_schema").orElseThrow();
      checkDescription(d);
      d.object("schema").orElseThrow(() -> d.missing("schema", "an object"));
      format.ignore("response_format.json_schema");
    }
  }

  /** The same where the schema and what is said of it are fields of the format itself. */
  private static void checkUnusedFields(RequestFields format) {
    if (!asksForSchema(format)) {
      checkDescription(format);
      format.object("schema");
      Stream.of("name", "description", "strict", "schema")
          .filter(format::has)
          .forEach(name -> format.ignore("text.format." + name));
    }
  }

  private static boolean asksForSchema(RequestFields format) {
    return format.string("type").orElse("").equals("json_schema");
  }

  /** What is said of a schema besides it. */
  private static void checkDescription(RequestFields d) {
    d.string("name");
    d.string("description");
    d.flag("strict"); // it always is
  }

  /** As {@code text.format} and {@code grammar} of a response say. */
  static AnswerForm ofResponse(RequestFields f, Grammars grammars) {
    Optional<RequestFields> format = f.fields("text").flatMap(text -> text.fields("format"));
    Optional<JsonForm> asked =
        format.flatMap(given -> json(given, () -> given, "text.format.schema"));
    format.ifPresent(AnswerForm::checkUnusedFields);
    return of(f, asked, "text.format", grammars);
  }

  private static AnswerForm of(
      RequestFields f, Optional<JsonForm> json, String param, Grammars grammars) {
    Optional<String> text = f.string(GRAMMAR);
    if (text.isPresent() && json.isPresent()) {
      throw f.wrong(GRAMMAR, "no " + param + " with it");
    }
    if ((text.isPresent() || json.isPresent()) && f.flag("ignore_eos")) {
      throw f.wrong("ignore_eos", "false: a text ends where its grammar does");
    }
    Optional<Supplier<LogitRule>> rule =
        text.map(t -> grammars.get(GRAMMAR, "gbnf " + t, () -> Gbnf.read(GRAMMAR, t)));
    return new AnswerForm(
        rule.or(() -> json.map(j -> grammars.get(j.param(), j.source(), j::grammar))), json);
  }

  /**
   * The form of JSON that a format asks for, if it does.
   *
   * @param described the object with the schema, if there must be one
   * @param param names the schema in errors
   */
  private static Optional<JsonForm> json(
      RequestFields format, Supplier<RequestFields> described, String param) {
    String type = format.string("type").orElseThrow(() -> format.missing("type", TYPES));
    return switch (type) {
      case "text" -> Optional.empty();
      case "json_object" ->
          Optional.of(new JsonForm("type", type, _ -> new Expression.Call("object")));
      case "json_schema" -> {
        RequestFields d = described.get();
        checkDescription(d);
        JsonObject schema = d.object("schema").orElseThrow(() -> d.missing("schema", "an object"));
        yield Optional.of(
            new JsonForm(
                param,
                "schema " + Json.compact(schema),
                rules -> JsonSchema.add(param, schema, "", rules)));
      }
      default -> throw format.wrong("type", TYPES);
    };
  }

  boolean isGiven() {
    return rule.isPresent();
  }

  /** Options of a text of this form. */
  GenerateOptions apply(GenerateOptions options) {
    return rule.map(options::with).orElse(options);
  }
}
