package dev.sortie.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import dev.langchain4j.model.output.TokenUsage;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.EncodeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Vectors of a language model: the mean over a text's tokens of what the final norm gives, of
 * Euclidean length 1. A text that does not fit in the model's context is an {@link
 * InvalidRequestException}. Any number of threads may ask; they take turns text by text.
 */
public final class SortieEmbeddingModel implements EmbeddingModel {
  private final Model model;
  private final String modelName;
  private final List<EmbeddingModelListener> listeners;

  private SortieEmbeddingModel(Builder builder) {
    this.model =
        Objects.requireNonNull(builder.model, "no model; give one by model(Sortie.load(…))");
    this.modelName = builder.modelName == null ? model.name() : builder.modelName;
    this.listeners = builder.listeners;
  }

  /** Settings; the model is needed. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    List<Embedding> embeddings = new ArrayList<>();
    int tokens = 0;
    try {
      for (EmbeddingInput input : request.inputs()) {
        String text = input.text();
        embeddings.add(Embedding.from(model.embed(text)));
        tokens += Prompt.encode(model.languageModel(), text, EncodeOptions.DEFAULT).length;
      }
    } catch (InputException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
    return EmbeddingResponse.builder()
        .embeddings(embeddings)
        .metadata(
            EmbeddingResponseMetadata.builder()
                .modelName(modelName)
                .tokenUsage(new TokenUsage(tokens))
                .build())
        .build();
  }

  @Override
  public int dimension() {
    return model.languageModel().config().decoder().hidden();
  }

  @Override
  public String modelName() {
    return modelName;
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  /** Settings of an embedding model. */
  public static final class Builder {
    private Model model;
    private String modelName;
    private List<EmbeddingModelListener> listeners = List.of();

    private Builder() {}

    /** The loaded model. It is not closed with this. */
    public Builder model(Model loaded) {
      model = loaded;
      return this;
    }

    /** What answers call it. Default: {@link Model#name}. */
    public Builder modelName(String name) {
      modelName = name;
      return this;
    }

    /** Told of requests, answers and errors. */
    public Builder listeners(List<EmbeddingModelListener> all) {
      listeners = List.copyOf(all);
      return this;
    }

    /** The embedding model. */
    public SortieEmbeddingModel build() {
      return new SortieEmbeddingModel(this);
    }
  }
}
