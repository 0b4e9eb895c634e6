package dev.sortie.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** LangChain4j's module for the OpenAI API, unchanged, against the embedded model. */
@Tag("any-kernels")
class LangChain4jClientTest {
  private static final List<ChatMessage> MESSAGES =
      List.of(SystemMessage.from("Be brief."), UserMessage.from("Once upon a time"));

  private static final JsonObjectSchema ANIMAL =
      JsonObjectSchema.builder()
          .addEnumProperty("kind", List.of("fox", "hen"))
          .required("kind")
          .additionalProperties(false)
          .build();

  private static ServedFable served;

  @BeforeAll
  static void serve() throws InterruptedException {
    served = ServedFable.start();
  }

  @AfterAll
  static void stop() {
    served.close();
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder chat() {
    return OpenAiChatModel.builder()
        .baseUrl(served.url() + "/v1")
        .apiKey("unused")
        .modelName(ServedFable.NAME)
        .temperature(0.0)
        .maxTokens(60)
        .maxRetries(0);
  }

  @Test
  void aStreamIsTheAnswerInPieces() throws Exception {
    ChatResponse whole = chat().build().chat(MESSAGES);
    assertThat(whole.modelName()).isEqualTo(ServedFable.NAME);
    assertThat(whole.finishReason()).isIn(FinishReason.STOP, FinishReason.LENGTH);
    assertThat(whole.tokenUsage().outputTokenCount()).isBetween(1, 60);
    StringBuilder pieces = new StringBuilder();
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    OpenAiStreamingChatModel.builder()
        .baseUrl(served.url() + "/v1")
        .apiKey("unused")
        .modelName(ServedFable.NAME)
        .temperature(0.0)
        .maxTokens(60)
        .build()
        .chat(
            MESSAGES,
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String more) {
                pieces.append(more);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                end.complete(response);
              }

              @Override
              public void onError(Throwable error) {
                end.completeExceptionally(error);
              }
            });
    ChatResponse streamed = end.get(60, TimeUnit.SECONDS);
    assertThat(pieces.toString()).isNotBlank().isEqualTo(whole.aiMessage().text());
    assertThat(streamed.aiMessage().text()).isEqualTo(pieces.toString());
    assertThat(streamed.tokenUsage().totalTokenCount())
        .isEqualTo(whole.tokenUsage().totalTokenCount());
  }

  @Test
  void aToolThatMustBeCalledIs() {
    ToolSpecification look = ToolSpecification.builder().name("look").parameters(ANIMAL).build();
    ChatResponse response =
        chat()
            .build()
            .chat(
                ChatRequest.builder()
                    .messages(MESSAGES)
                    .parameters(
                        ChatRequestParameters.builder()
                            .toolSpecifications(look)
                            .toolChoice(ToolChoice.REQUIRED)
                            .build())
                    .build());
    assertThat(response.finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
    ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.id()).isNotBlank();
    assertThat(call.name()).isEqualTo("look");
    assertThat(call.arguments().replaceAll("\\s", ""))
        .isIn("{\"kind\":\"fox\"}", "{\"kind\":\"hen\"}");
  }

  @Test
  void anAnswerHasTheFormOfItsSchema() {
    JsonSchema schema = JsonSchema.builder().name("animal").rootElement(ANIMAL).build();
    String text =
        chat()
            .strictJsonSchema(true)
            .build()
            .chat(
                ChatRequest.builder()
                    .messages(MESSAGES)
                    .parameters(ChatRequestParameters.builder().responseFormat(schema).build())
                    .build())
            .aiMessage()
            .text();
    assertThat(text.replaceAll("\\s", "")).isIn("{\"kind\":\"fox\"}", "{\"kind\":\"hen\"}");
  }

  @Test
  void embeddingsHaveLengthOne() {
    List<Embedding> embeddings =
        OpenAiEmbeddingModel.builder()
            .baseUrl(served.url() + "/v1")
            .apiKey("unused")
            .modelName(ServedFable.NAME)
            .build()
            .embedAll(List.of(TextSegment.from("a fox"), TextSegment.from("a hen")))
            .content();
    assertThat(embeddings).hasSize(2).doesNotHaveDuplicates();
    for (Embedding embedding : embeddings) {
      double squares = 0;
      for (float x : embedding.vector()) {
        squares += x * x;
      }
      assertThat(squares).isBetween(0.9999, 1.0001);
    }
  }

  @Test
  void whatIsWrongIsAnExceptionOfItsKind() {
    assertThatThrownBy(() -> chat().modelName("gpt-4o").build().chat(MESSAGES))
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("gpt-4o");
    assertThatThrownBy(() -> chat().temperature(9.0).build().chat(MESSAGES))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("temperature");
  }
}
