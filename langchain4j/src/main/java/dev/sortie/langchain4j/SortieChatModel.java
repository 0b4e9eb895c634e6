package dev.sortie.langchain4j;

import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;

/**
 * A chat model that answers in the thread that asks. Any number of threads may ask; they take turns
 * token by token. A thread that is interrupted gets an exception instead of an answer.
 */
public final class SortieChatModel extends SortieChat implements ChatModel {
  private SortieChatModel(Builder builder) {
    super(builder);
  }

  /** Settings; the model is needed. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    return reader
        .read(request)
        .generate(piece -> {}, Thread.currentThread()::isInterrupted)
        .orElseThrow(() -> new LangChain4jException("interrupted while answering"));
  }

  /** Settings of a chat model. */
  public static final class Builder extends SortieChat.Builder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /**
     * The chat model.
     *
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if a default is not supported
     */
    public SortieChatModel build() {
      return new SortieChatModel(this);
    }
  }
}
