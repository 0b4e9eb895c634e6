package dev.sortie.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.TextOptions;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/** What both chat models have in common: their settings. */
abstract class SortieChat {
  final ChatRequestReader reader;
  private final List<ChatModelListener> listeners;

  SortieChat(Builder<?> builder) {
    this.reader = new ChatRequestReader(builder);
    this.listeners = builder.listeners;
  }

  /** Where a request does not say otherwise. */
  public ChatRequestParameters defaultRequestParameters() {
    return reader.defaults;
  }

  /** Told of requests, answers and errors. */
  public List<ChatModelListener> listeners() {
    return listeners;
  }

  /** Answers of a form that a JSON schema says. */
  public Set<Capability> supportedCapabilities() {
    return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
  }

  /** Settings. Only the model is needed; what a request says comes before what is set here. */
  abstract static class Builder<B extends Builder<B>> {
    final DefaultChatRequestParameters.Builder<?> parameters = ChatRequestParameters.builder();
    ChatRequestParameters defaults = DefaultChatRequestParameters.EMPTY;
    TextOptions options = TextOptions.atMost(1024);
    OptionalLong seed = OptionalLong.empty();
    Model model;
    String modelName;
    List<ChatModelListener> listeners = List.of();

    abstract B self();

    /** The loaded model. Close it when nothing is being generated; it is not closed with this. */
    public B model(Model loaded) {
      model = loaded;
      return self();
    }

    /** What answers and requests call the model. Default: {@link Model#name}. */
    public B modelName(String name) {
      modelName = name;
      return self();
    }

    /**
     * What holds where neither a request nor a parameter says otherwise, and what LangChain4j has
     * no word for, such as the strategy and the repetition penalty. Default: at most 1024 tokens,
     * always the most likely one, at full depth.
     */
    public B options(TextOptions value) {
      options = value;
      return self();
    }

    /** Parameters as one object; those that are set one by one come before them. */
    public B defaultRequestParameters(ChatRequestParameters value) {
      defaults = value;
      return self();
    }

    /**
     * Divides the logits, 0 to 100; 0 is always the most likely token. Where it is not given, and
     * is 0 in the options, it is 1 for a request with {@code topP}, {@code topK} or a seed.
     */
    public B temperature(Double value) {
      parameters.temperature(value);
      return self();
    }

    /** Keeps the fewest tokens whose probabilities sum to this, above 0 to 1. */
    public B topP(Double value) {
      parameters.topP(value);
      return self();
    }

    /** Keeps this many of the most likely tokens; 0 keeps all. */
    public B topK(Integer value) {
      parameters.topK(value);
      return self();
    }

    /**
     * Of the random numbers: the same request has the same answer. Default: that of the options,
     * where they have a temperature above 0; another each time otherwise.
     */
    public B seed(long value) {
      seed = OptionalLong.of(value);
      return self();
    }

    /** Lowers a token's logit by this for each time that it stands in the answer. */
    public B frequencyPenalty(Double value) {
      parameters.frequencyPenalty(value);
      return self();
    }

    /** Lowers a token's logit by this once it stands in the answer. */
    public B presencePenalty(Double value) {
      parameters.presencePenalty(value);
      return self();
    }

    /** Tokens of an answer at most, as far as the model's context has room for them. */
    public B maxOutputTokens(Integer value) {
      parameters.maxOutputTokens(value);
      return self();
    }

    /** Texts that end an answer; they are no part of it. */
    public B stopSequences(List<String> texts) {
      parameters.stopSequences(texts);
      return self();
    }

    /** The form of answers: JSON, or JSON under a schema. Default: free text. */
    public B responseFormat(ResponseFormat format) {
      parameters.responseFormat(format);
      return self();
    }

    /** Told of requests, answers and errors. */
    public B listeners(List<ChatModelListener> all) {
      listeners = List.copyOf(all);
      return self();
    }
  }
}
