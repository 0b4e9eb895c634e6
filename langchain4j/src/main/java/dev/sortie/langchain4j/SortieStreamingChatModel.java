package dev.sortie.langchain4j;

import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onCompleteToolCall;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.onPartialResponse;
import static dev.langchain4j.internal.InternalStreamingChatResponseHandlerUtils.withLoggingExceptions;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.sortie.eetuning.decode.tool.ToolPiece;
import java.util.concurrent.Executor;

/**
 * A chat model that gives its answer piece by piece, from another thread than the one that asks.
 * What is wrong with a request is thrown in the thread that asks. Answers that are generated at the
 * same time take turns token by token.
 */
public final class SortieStreamingChatModel extends SortieChat implements StreamingChatModel {
  private final Executor executor;

  private SortieStreamingChatModel(Builder builder) {
    super(builder);
    this.executor = builder.executor;
  }

  /** Settings; the model is needed. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    PendingAnswer answer = reader.read(request);
    executor.execute(() -> new Stream(handler).run(answer));
  }

  /**
   * One answer on its way to a handler. What the handler throws is told to it as an error, and the
   * answer continues, as LangChain4j asks for; after {@link #cancel} it is told nothing more.
   */
  private static final class Stream implements StreamingHandle {
    private final StreamingChatResponseHandler handler;
    private int calls;
    private volatile boolean cancelled;

    Stream(StreamingChatResponseHandler handler) {
      this.handler = handler;
    }

    void run(PendingAnswer answer) {
      try {
        answer
            .generate(this::tell, this::isCancelled)
            .filter(response -> !cancelled)
            .ifPresent(response -> onCompleteResponse(handler, response));
      } catch (RuntimeException | Error e) {
        withLoggingExceptions(() -> handler.onError(e));
      }
    }

    private void tell(ToolPiece piece) {
      if (!cancelled) {
        switch (piece) {
          case ToolPiece.Text t -> onPartialResponse(handler, t.text(), this);
          case ToolPiece.Call c ->
              onCompleteToolCall(handler, new CompleteToolCall(calls++, PendingAnswer.request(c)));
        }
      }
    }

    @Override
    public void cancel() {
      cancelled = true;
    }

    @Override
    public boolean isCancelled() {
      return cancelled;
    }
  }

  /** Settings of a streaming chat model. */
  public static final class Builder extends SortieChat.Builder<Builder> {
    private Executor executor =
        answer -> Thread.ofPlatform().daemon().name("sortie-answer").start(answer);

    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /** Runs each answer as a task. Default: a daemon thread for each. */
    public Builder executor(Executor value) {
      executor = value;
      return this;
    }

    /**
     * The streaming chat model.
     *
     * @throws dev.langchain4j.exception.UnsupportedFeatureException if a default is not supported
     */
    public SortieStreamingChatModel build() {
      return new SortieStreamingChatModel(this);
    }
  }
}
