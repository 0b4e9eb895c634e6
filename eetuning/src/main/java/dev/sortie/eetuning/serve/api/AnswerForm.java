package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The form that an answer must have, if a request says one: JSON, JSON under a schema, or a text of
 * a grammar.
 *
 * @param grammar empty for free text
 */
record AnswerForm(Optional<TokenGrammar> grammar) {
  private static final String GRAMMAR = "grammar";
  private static final String TYPES = "text, json_object or json_schema";

  /** As {@code response_format} and {@code grammar} say. */
  static AnswerForm of(RequestFields f, Grammars grammars) {
    Optional<TokenGrammar> asked =
        f.fields("response_format")
            .flatMap(
                format ->
                    grammar(
                        format,
                        () ->
                            format
                                .fields("json_schema")
                                .orElseThrow(
                                    () -> format.missing("json_schema", "name and schema")),
                        "response_format.json_schema.schema",
                        grammars));
    return of(f, asked, "response_format", grammars);
  }

  /** As {@code text.format} and {@code grammar} of a response say. */
  static AnswerForm ofResponse(RequestFields f, Grammars grammars) {
    Optional<TokenGrammar> asked =
        f.fields("text")
            .flatMap(text -> text.fields("format"))
            .flatMap(format -> grammar(format, () -> format, "text.format.schema", grammars));
    return of(f, asked, "text.format", grammars);
  }

  private static AnswerForm of(
      RequestFields f, Optional<TokenGrammar> asked, String param, Grammars grammars) {
    Optional<String> text = f.string(GRAMMAR);
    if (text.isPresent() && asked.isPresent()) {
      throw f.wrong(GRAMMAR, "no " + param + " with it");
    }
    Optional<TokenGrammar> given =
        text.map(t -> grammars.get(GRAMMAR, "gbnf " + t, () -> Gbnf.read(GRAMMAR, t)));
    AnswerForm form = new AnswerForm(given.or(() -> asked));
    if (form.isGiven() && f.flag("ignore_eos")) {
      throw f.wrong("ignore_eos", "false: a text ends where its grammar does");
    }
    return form;
  }

  /**
   * The grammar of a format.
   *
   * @param described the object with the schema, if there must be one
   * @param param names the schema in errors
   */
  private static Optional<TokenGrammar> grammar(
      RequestFields format, Supplier<RequestFields> described, String param, Grammars grammars) {
    String type = format.string("type").orElseThrow(() -> format.missing("type", TYPES));
    return switch (type) {
      case "text" -> Optional.empty();
      case "json_object" ->
          Optional.of(grammars.get("type", type, () -> JsonSchema.anyObject(type)));
      case "json_schema" -> {
        RequestFields d = described.get();
        d.string("name");
        d.string("description");
        d.flag("strict"); // it always is
        JsonObject schema = d.object("schema").orElseThrow(() -> d.missing("schema", "an object"));
        yield Optional.of(
            grammars.get(
                param, "schema " + Json.compact(schema), () -> JsonSchema.grammar(param, schema)));
      }
      default -> throw format.wrong("type", TYPES);
    };
  }

  boolean isGiven() {
    return grammar.isPresent();
  }

  /** Options of a text of this form. */
  GenerateOptions apply(GenerateOptions options) {
    return grammar.map(options::with).orElse(options);
  }
}
