package dev.sortie.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.sortie.eetuning.LoadOptions;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.Sortie;
import dev.sortie.eetuning.Strategy;
import dev.sortie.eetuning.TextOptions;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.text.chat.ChatOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a request asks for is done, or refused by name; with the embedded model. */
@Tag("any-kernels")
class ChatModelContractTest {
  private static final List<ChatMessage> FOX = List.of(UserMessage.from("Tell me of the fox."));

  private static final ToolSpecification LOOK =
      ToolSpecification.builder()
          .name("look")
          .description("Looks at an animal.")
          .parameters(
              JsonObjectSchema.builder()
                  .addEnumProperty("animal", List.of("fox", "hen"))
                  .required("animal")
                  .build())
          .build();

  @TempDir private static Path temp;

  private static Model model;
  private static SortieChatModel chat;

  @BeforeAll
  static void load() throws IOException {
    Path template =
        Files.writeString(
            temp.resolve("template.jinja"),
            "{% if tools %}<tool_call> {{ tools[0].function.name }}: {% endif %}"
                + "{% for m in messages %}{{ m.content }} {% endfor %}");
    model = Sortie.load("fable", LoadOptions.DEFAULT.chatTemplate(template));
    chat = SortieChatModel.builder().model(model).options(TextOptions.atMost(12)).build();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static ChatResponse ask(DefaultChatRequestParameters.Builder<?> parameters) {
    return chat.chat(request(parameters));
  }

  private static ChatRequest request(DefaultChatRequestParameters.Builder<?> parameters) {
    return ChatRequest.builder().messages(FOX).parameters(parameters.build()).build();
  }

  private static String text(DefaultChatRequestParameters.Builder<?> parameters) {
    return ask(parameters).aiMessage().text();
  }

  private static DefaultChatRequestParameters.Builder<?> with() {
    return ChatRequestParameters.builder();
  }

  @Test
  void anAnswerSaysWhoWhyAndHowMuch() {
    ChatResponse response = ask(with().maxOutputTokens(7));
    assertThat(response.metadata().modelName()).isEqualTo("fable");
    assertThat(response.metadata().finishReason()).isEqualTo(FinishReason.LENGTH);
    assertThat(response.tokenUsage().outputTokenCount()).isEqualTo(7);
    assertThat(response.tokenUsage().inputTokenCount())
        .isEqualTo(model.prompt(MessageTexts.of(FOX), ChatOptions.DEFAULT).length);
  }

  @Test
  void parametersChangeWhatIsChosen() {
    String greedy = text(with());
    assertThat(text(with().temperature(0.0))).isEqualTo(greedy);
    assertThat(text(with().topK(1))).isEqualTo(greedy);
    assertThat(text(with().topP(1e-6))).isEqualTo(greedy);
    assertThat(text(with().temperature(50.0))).isNotEqualTo(greedy);
    assertThat(text(with().frequencyPenalty(-100.0))).isNotEqualTo(greedy);
    assertThat(text(with().presencePenalty(-100.0))).isNotEqualTo(greedy);
    assertThat(text(with().stopSequences(greedy.substring(3, 6))))
        .isEqualTo(greedy.substring(0, 3));
  }

  /** Without a temperature a seed would mean nothing. */
  @Test
  void aSeedMakesSampledAnswersRepeat() {
    SortieChatModel.Builder seeded =
        SortieChatModel.builder().model(model).options(TextOptions.atMost(12));
    String first = seeded.seed(1).build().chat(FOX).aiMessage().text();
    assertThat(seeded.build().chat(FOX).aiMessage().text()).isEqualTo(first);
    assertThat(seeded.seed(2).build().chat(FOX).aiMessage().text()).isNotEqualTo(first);
    assertThat(text(with())).isNotEqualTo(first);
  }

  @Test
  void aSeedInTheOptionsOfTheLibraryIsOneToo() {
    SortieChatModel.Builder seeded =
        SortieChatModel.builder().model(model).options(TextOptions.atMost(12).sampling(1, 1));
    String first = seeded.build().chat(FOX).aiMessage().text();
    assertThat(seeded.build().chat(FOX).aiMessage().text()).isEqualTo(first);
    assertThat(seeded.seed(2).build().chat(FOX).aiMessage().text()).isNotEqualTo(first);
    assertThat(seeded.seed(1).build().chat(FOX).aiMessage().text()).isEqualTo(first);
  }

  /** Whether words of the prompt count as said is an option, too. */
  @Test
  void aPenaltyOfTheOptionsOfTheLibraryIsTheSame() {
    int[] prompt = model.prompt(MessageTexts.of(FOX), ChatOptions.DEFAULT);
    for (boolean penalised : new boolean[] {false, true}) {
      TextOptions options =
          TextOptions.atMost(12).sampling(new SamplingOptions(0, 0, 1, 0, 50, penalised, 0));
      SortieChatModel penalises = SortieChatModel.builder().model(model).options(options).build();
      assertThat(penalises.chat(FOX).aiMessage().text())
          .isEqualTo(model.answer(prompt, options).text());
    }
  }

  @Test
  void optionsOfTheLibraryHoldWhereNobodySaysOtherwise() {
    TextOptions speculation = TextOptions.atMost(9).strategy(Strategy.speculative());
    SortieChatModel speculative =
        SortieChatModel.builder().model(model).options(speculation).build();
    ChatResponse response = speculative.chat(FOX);
    assertThat(response.tokenUsage().outputTokenCount()).isEqualTo(9);
    assertThat(text(with())).startsWith(response.aiMessage().text());
    assertThat(speculative.chat(request(with().maxOutputTokens(3))).tokenUsage().outputTokenCount())
        .isEqualTo(3);
  }

  @Test
  void anAnswerHasItsForm() {
    JsonSchema schema = JsonSchema.builder().name("animal").rootElement(LOOK.parameters()).build();
    ChatResponse response = ask(with().responseFormat(schema).maxOutputTokens(40));
    assertThat(response.aiMessage().text().replaceAll("\\s", ""))
        .isIn("{\"animal\":\"fox\"}", "{\"animal\":\"hen\"}");
    assertThat(response.metadata().finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(text(with().responseFormat(ResponseFormat.JSON))).startsWith("{");
  }

  @Test
  void aToolThatMustBeCalledIs() {
    DefaultChatRequestParameters.Builder<?> forced =
        with().toolSpecifications(LOOK).toolChoice(ToolChoice.REQUIRED).maxOutputTokens(80);
    ChatResponse response = ask(forced);
    assertThat(response.aiMessage().text()).isNull();
    assertThat(response.metadata().finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
    ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().getFirst();
    assertThat(call.name()).isEqualTo("look");
    assertThat(call.arguments().replaceAll("\\s", ""))
        .isIn("{\"animal\":\"fox\"}", "{\"animal\":\"hen\"}");

    Heard heard = stream(request(forced));
    assertThat(heard.words).isEmpty();
    assertThat(heard.call.toolExecutionRequest().arguments()).isEqualTo(call.arguments());
    assertThat(heard.response.join().aiMessage().toolExecutionRequests())
        .containsExactly(heard.call.toolExecutionRequest());
  }

  @Test
  void toolsThatMayNotBeCalledAreNotOffered() {
    int alone = ask(with()).tokenUsage().inputTokenCount();
    assertThat(inputs(with().toolSpecifications(LOOK).toolChoice(ToolChoice.NONE)))
        .isEqualTo(alone);
    assertThat(inputs(with().toolSpecifications(LOOK))).isGreaterThan(alone);
  }

  private static int inputs(DefaultChatRequestParameters.Builder<?> parameters) {
    return ask(parameters).tokenUsage().inputTokenCount();
  }

  @Test
  void aStreamIsTheAnswerInPieces() {
    Heard heard = stream(request(with()));
    assertThat(heard.words.toString())
        .isEqualTo(text(with()))
        .isEqualTo(heard.response.join().aiMessage().text());
  }

  @Test
  void templatesSeeMessagesAsTheyAre() {
    ToolExecutionRequest call =
        ToolExecutionRequest.builder()
            .id("1")
            .name("look")
            .arguments("{\"animal\":\"fox\"}")
            .build();
    List<Map<String, Object>> fields =
        MessageTexts.of(
                List.of(
                    SystemMessage.from("Be brief."),
                    UserMessage.from("Ann", "Where?"),
                    AiMessage.from("I look.", List.of(call)),
                    ToolExecutionResultMessage.from(call, "red"),
                    AiMessage.from("There.")))
            .stream()
            .map(dev.sortie.nn.text.chat.ChatMessage::fields)
            .toList();
    assertThat(fields)
        .extracting(m -> m.get("role"))
        .containsExactly("system", "user", "assistant", "tool", "assistant");
    assertThat(fields)
        .extracting(m -> m.get("content"))
        .containsExactly("Be brief.", "Where?", "I look.", "red", "There.");
    assertThat(fields.get(1)).containsEntry("name", "Ann");
    assertThat(fields.get(2).get("tool_calls").toString()).contains("name=look", "animal");
    assertThat(fields.get(3)).containsEntry("tool_call_id", "1").containsEntry("name", "look");
    assertThat(fields.get(4)).doesNotContainKey("tool_calls");
  }

  @Test
  void whatIsNotSupportedIsRefusedByName() {
    refused("modelName", with().modelName("other"));
    refused("tools", with().toolSpecifications(LOOK).responseFormat(json()));
    UserMessage image = UserMessage.from(ImageContent.from("http://localhost/fox.png"));
    assertThatThrownBy(() -> chat.chat(image))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("image");
    assertThat(ask(with().modelName("fable")).metadata().modelName()).isEqualTo("fable");
  }

  private static void refused(String name, DefaultChatRequestParameters.Builder<?> parameters) {
    assertThatThrownBy(() -> ask(parameters))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining(name)
        .hasMessageContaining("not supported");
  }

  private static ResponseFormat json() {
    return ResponseFormat.builder().type(ResponseFormatType.JSON).build();
  }

  @Test
  void whatIsWrongIsSaidInOneLine() {
    wrong("--temperature -1.0", with().temperature(-1.0));
    wrong("--max-tokens 0", with().maxOutputTokens(0));
    wrong("toolChoice is REQUIRED", with().toolChoice(ToolChoice.REQUIRED));
    assertThatThrownBy(() -> chat.chat(UserMessage.from("fox ".repeat(5000))))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("context is");
    try (Model plain = Sortie.load("fable")) {
      SortieChatModel untold = SortieChatModel.builder().model(plain).build();
      assertThatThrownBy(() -> untold.chat(FOX))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("chat template");
    }
    assertThatThrownBy(() -> SortieChatModel.builder().build()).hasMessageContaining("no model");
  }

  private static void wrong(String message, DefaultChatRequestParameters.Builder<?> parameters) {
    assertThatThrownBy(() -> ask(parameters))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void anInterruptedThreadGetsNoAnswer() {
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> chat.chat(FOX))
          .isInstanceOf(LangChain4jException.class)
          .hasMessageContaining("interrupted");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  /** What a handler was told of an answer that has ended. */
  private static final class Heard implements StreamingChatResponseHandler {
    private final StringBuilder words = new StringBuilder();
    private final CompletableFuture<ChatResponse> response = new CompletableFuture<>();
    private CompleteToolCall call;

    @Override
    public void onPartialResponse(String more) {
      words.append(more);
    }

    @Override
    public void onCompleteToolCall(CompleteToolCall complete) {
      call = complete;
    }

    @Override
    public void onCompleteResponse(ChatResponse complete) {
      response.complete(complete);
    }

    @Override
    public void onError(Throwable error) {
      response.completeExceptionally(error);
    }
  }

  private static Heard stream(ChatRequest request) {
    Heard heard = new Heard();
    SortieStreamingChatModel.builder()
        .model(model)
        .options(TextOptions.atMost(12))
        .build()
        .chat(request, heard);
    heard.response.orTimeout(60, TimeUnit.SECONDS).join();
    return heard;
  }
}
