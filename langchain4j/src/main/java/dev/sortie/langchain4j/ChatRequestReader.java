package dev.sortie.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.TextOptions;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.grammar.GrammarCache;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.eetuning.decode.sampling.CountPenalty;
import dev.sortie.eetuning.decode.sampling.LogitRule;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;

/**
 * From a request in LangChain4j's terms to an answer that can be generated. Thread-safe.
 *
 * <p>What is not supported is an {@link UnsupportedFeatureException} that names the parameter; what
 * is wrong is an {@link InvalidRequestException}.
 */
final class ChatRequestReader {
  private final Model model;
  private final String modelName;
  final ChatRequestParameters defaults;
  private final TextOptions options;
  private final OptionalLong seed;
  private final GrammarCache grammars;

  ChatRequestReader(SortieChat.Builder<?> b) {
    this.model = Objects.requireNonNull(b.model, "no model; give one by model(Sortie.load(…))");
    this.modelName = b.modelName == null ? model.name() : b.modelName;
    this.defaults = b.defaults.overrideWith(b.parameters.build());
    this.options = b.options;
    this.seed = b.seed;
    this.grammars = new GrammarCache();
    checkName(defaults);
  }

  /** The answer to a request whose parameters have the defaults in them. */
  PendingAnswer read(ChatRequest request) {
    ChatRequestParameters p = request.parameters();
    checkName(p);
    try {
      ChatTools tools = ChatTools.of(p, model);
      int[] prompt =
          model.prompt(
              MessageTexts.of(request.messages()),
              ChatOptions.DEFAULT.with(tools.offered(), Map.of()));
      TextOptions text = new TextOptions(options(p, tools, prompt.length), options.strategy());
      return new PendingAnswer(model.answer(prompt, text), tools.reader(), modelName);
    } catch (InputException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private void checkName(ChatRequestParameters p) {
    if (p.modelName() != null && !p.modelName().equals(modelName)) {
      throw new UnsupportedFeatureException(
          "modelName '%s' is not supported: the loaded model is '%s'"
              .formatted(p.modelName(), modelName));
    }
  }

  private GenerateOptions options(ChatRequestParameters p, ChatTools tools, int prompt) {
    int context = model.languageModel().config().decoder().context();
    if (prompt >= context) {
      throw new InputException(
          "the conversation has %d tokens, and the model's context is %d; leave out old messages"
              .formatted(prompt, context));
    }
    GenerateOptions base = options.text();
    List<Supplier<LogitRule>> rules = new ArrayList<>(base.rules());
    double frequency = given(p.frequencyPenalty(), 0.0);
    double presence = given(p.presencePenalty(), 0.0);
    if (frequency != 0 || presence != 0) {
      rules.add(() -> new CountPenalty(frequency, presence));
    }
    Optional<Supplier<LogitRule>> form = form(p.responseFormat(), tools);
    form.ifPresent(rules::add);
    return new GenerateOptions(
        Math.min(given(p.maxOutputTokens(), base.maxTokens()), context - prompt),
        sampling(p),
        p.stopSequences().isEmpty() ? base.stop() : p.stopSequences(),
        base.ignoreEos() && form.isEmpty(),
        rules,
        base.logprobs());
  }

  private SamplingOptions sampling(ChatRequestParameters p) {
    SamplingOptions base = options.text().sampling();
    boolean chosen = p.topP() != null || p.topK() != null || seed.isPresent();
    double unsaid = base.temperature() == 0 && chosen ? 1 : base.temperature();
    return new SamplingOptions(
        given(p.temperature(), unsaid),
        given(p.topK(), base.topK()),
        given(p.topP(), base.topP()),
        base.minP(),
        base.repetitionPenalty(),
        base.promptPenalised(),
        seed.orElseGet(
            () -> base.temperature() > 0 ? base.seed() : ThreadLocalRandom.current().nextLong()));
  }

  /** The rule that holds an answer to its form, if it must have one. */
  private Optional<Supplier<LogitRule>> form(ResponseFormat format, ChatTools tools) {
    if (format == null || format.type() == ResponseFormatType.TEXT) {
      return tools
          .forced()
          .map(calls -> grammars.get(calls.source(), () -> model.answerGrammar(calls.grammar())));
    }
    if (!tools.offered().isEmpty()) {
      throw new UnsupportedFeatureException(
          "JSON response format together with tools is not supported: it leaves no room for calls");
    }
    if (format.jsonSchema() == null) {
      return Optional.of(
          grammars.get(
              "any object", () -> model.answerGrammar(JsonSchema.anyObject("responseFormat"))));
    }
    JsonObject schema = ChatTools.schema(format.jsonSchema().rootElement());
    return Optional.of(
        grammars.get(
            "schema " + Json.compact(schema),
            () -> model.answerGrammar(JsonSchema.grammar("responseFormat.jsonSchema", schema))));
  }

  private static <T> T given(T value, T otherwise) {
    return value == null ? otherwise : value;
  }
}
