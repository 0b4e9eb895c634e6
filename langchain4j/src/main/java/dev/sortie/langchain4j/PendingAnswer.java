package dev.sortie.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.sortie.eetuning.TextRun;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.decode.tool.ToolPiece;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * An answer that can be generated once: words, and calls where the model may call tools.
 *
 * @param reader finds calls in its text
 * @param modelName who answers
 */
record PendingAnswer(TextRun run, CallReader reader, String modelName) {

  /**
   * Generates.
   *
   * @param listener gets pieces as they come
   * @param cancelled asked after each token
   * @return nothing if it was cancelled
   */
  Optional<ChatResponse> generate(Consumer<ToolPiece> listener, BooleanSupplier cancelled) {
    List<ToolPiece> pieces = new ArrayList<>();
    Consumer<ToolPiece> both = listener.andThen(pieces::add);
    Generation generation = run.forEach(token -> reader.add(token.text()).forEach(both), cancelled);
    if (generation.finish().equals("cancelled")) {
      return Optional.empty();
    }
    reader.finish().forEach(both);
    return Optional.of(response(pieces, generation));
  }

  private ChatResponse response(List<ToolPiece> pieces, Generation generation) {
    StringBuilder words = new StringBuilder();
    List<ToolExecutionRequest> calls = new ArrayList<>();
    for (ToolPiece piece : pieces) {
      switch (piece) {
        case ToolPiece.Text t -> words.append(t.text());
        case ToolPiece.Call c -> calls.add(request(c));
      }
    }
    String text = words.isEmpty() && !calls.isEmpty() ? null : words.toString();
    FinishReason ended = calls.isEmpty() ? FinishReason.STOP : FinishReason.TOOL_EXECUTION;
    return ChatResponse.builder()
        .aiMessage(AiMessage.builder().text(text).toolExecutionRequests(calls).build())
        .id(UUID.randomUUID().toString())
        .modelName(modelName)
        .tokenUsage(new TokenUsage(run.promptTokens(), generation.tokens().size()))
        .finishReason(generation.finish().equals("length") ? FinishReason.LENGTH : ended)
        .build();
  }

  /** A call in LangChain4j's terms. */
  static ToolExecutionRequest request(ToolPiece.Call call) {
    return ToolExecutionRequest.builder()
        .id(call.id())
        .name(call.name())
        .arguments(call.arguments())
        .build();
  }
}
