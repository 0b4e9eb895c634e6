package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code /v1/chat/completions}.
 *
 * @param answers sends what is generated
 */
record ChatEndpoint(ServedModel served, TextAnswer.Maker answers) implements ApiEndpoint {
  private static final int MOST_ALTERNATIVES = 20;

  @Override
  public void answer(ApiRequest request) throws InterruptedException {
    RequestFields f = request.fields();
    served.check(f);
    refuseWhatIsNotThere(f);
    int[] prompt = prompt(f);
    SamplingFields sampling = SamplingFields.of(f, served.vocab());
    DecodingFields decoding = DecodingFields.of(f, served);
    boolean logprobs = f.flag("logprobs");
    OptionalInt top = f.integer("top_logprobs", 0, MOST_ALTERNATIVES);
    if (top.isPresent() && !logprobs) {
      throw f.wrong("top_logprobs", "logprobs: true with it");
    }
    OptionalInt most = f.integer("max_completion_tokens", 1, Integer.MAX_VALUE);
    OptionalInt older = f.integer("max_tokens", 1, Integer.MAX_VALUE);
    int asked = most.orElse(older.orElse(served.maxTokens()));
    boolean streamed = f.flag("stream");
    boolean usage = f.fields("stream_options").map(o -> o.flag("include_usage")).orElse(false);
    int tokens = served.answer(prompt, asked, "messages");
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < sampling.choices(); i++) {
      requests.add(
          new Request(
              request.owner(),
              prompt,
              sampling.options(
                  i, tokens, logprobs ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty()),
              decoding.policy(),
              decoding.maxPending(),
              t -> {},
              Optional.empty(),
              false));
    }
    SortieAnswer sortie =
        new SortieAnswer(decoding.strategy(), decoding.trace(), sampling.seed(), f.ignored());
    ChatShape shape = new ChatShape(served, sortie, sampling.choices(), logprobs, usage);
    answers.send(request, requests, shape, streamed);
  }

  private static void refuseWhatIsNotThere(RequestFields f) {
    f.refuse("functions", "is out of date; give tools");
    f.refuse("function_call", "is out of date; give tool_choice");
    f.refuse("audio", "this server answers with text");
    f.refuse("web_search_options", "this server searches nothing");
    if (f.strings("modalities", 8).stream().anyMatch(word -> !word.equals("text"))) {
      throw f.wrong("modalities", "text, the only one there is");
    }
    ResponseFormat.requireText(f.object("response_format"), "response_format");
  }

  private int[] prompt(RequestFields f) {
    List<JsonObject> given =
        f.objects("messages")
            .filter(m -> !m.isEmpty())
            .orElseThrow(() -> f.missing("messages", "a list of objects with role and content"));
    ChatTemplate template = template();
    List<ChatMessage> messages = ChatMessages.of(given, "messages");
    List<Map<String, Object>> tools = ToolFields.of(f);
    Map<String, Object> variables =
        f.object("chat_template_kwargs")
            .<Map<String, Object>>map(JsonObject::fields)
            .orElse(Map.of());
    try {
      return Prompt.orBos(
          served.model(),
          template.encode(
              messages, ChatOptions.DEFAULT.with(tools, variables), served.model().tokenizer()));
    } catch (InputException e) {
      throw ApiError.invalid("messages", e.getMessage());
    }
  }

  private ChatTemplate template() {
    return served
        .template()
        .orElseThrow(
            () ->
                ApiError.of(
                    400,
                    "no_chat_template",
                    "the model has no chat template; ask /v1/completions, or start the server with"
                        + " --chat-template FILE"));
  }
}
