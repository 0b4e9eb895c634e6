package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.grammar.Gbnf;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.load.LanguageModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of texts that must have a form. */
public final class GrammarMixin {
  private static final JsonLimits SCHEMA = new JsonLimits(8 << 20, 64, 1 << 20);

  @Option(
      names = "--json-schema",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Constrain the output to JSON documents that are valid under this JSON "
              + "Schema. docs/grammar.md lists the supported keywords."
              + ReadOnce.HELP)
  private Path schema;

  @Option(
      names = "--grammar",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "Constrain the output to this grammar, written in GBNF (the notation of "
              + "llama.cpp)."
              + ReadOnce.HELP)
  private Path grammar;

  /** The grammar that was given, read before a model is loaded. */
  public Optional<Grammar> read(GenerateOptions options) {
    if (schema != null && grammar != null) {
      throw new UsageException("give --json-schema or --grammar, but not both");
    }
    if (schema == null && grammar == null) {
      return Optional.empty();
    }
    if (options.ignoreEos()) {
      throw new UsageException(
          "--ignore-eos goes with neither --json-schema nor --grammar: a text ends where its"
              + " grammar does");
    }
    Path named = schema == null ? grammar : schema;
    String origin = NamedInput.name(named);
    String text = TextFiles.read(named);
    return Optional.of(
        schema == null
            ? Gbnf.read(origin, text)
            : JsonSchema.grammar(origin, Json.parse(origin, text, SCHEMA)));
  }

  /**
   * Options for texts of a grammar, if there is one.
   *
   * @param ends ids that end a text
   */
  public static GenerateOptions apply(
      GenerateOptions options, Optional<Grammar> grammar, LanguageModel m, List<Integer> ends) {
    return grammar
        .map(
            g ->
                options.with(
                    new TokenGrammar(
                        g, new TokenVocabulary(m.tokenizer(), m.config().decoder().vocab(), ends))))
        .orElse(options);
  }
}
