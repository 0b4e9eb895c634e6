package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code /v1/chat/completions}.
 *
 * @param answers sends what is generated
 * @param grammars of answers that must have a form
 */
record ChatEndpoint(ServedModel served, TextAnswer.Maker answers, Grammars grammars)
    implements ApiEndpoint {
  private static final int MOST_ALTERNATIVES = 20;

  @Override
  public void answer(ApiRequest request) throws InterruptedException {
    RequestFields f = request.fields();
    served.check(f);
    refuseWhatIsNotThere(f);
    AnswerForm format = AnswerForm.of(f, grammars);
    ToolFields tools = ToolFields.of(f, format.json().isPresent());
    int[] prompt = prompt(f, tools);
    SamplingFields sampling = SamplingFields.of(f, served.vocab());
    AnswerForm form = tools.form(f, format, served, grammars);
    DecodingFields decoding = DecodingFields.of(f, served);
    boolean logprobs = f.flag("logprobs");
    OptionalInt top = f.integer("top_logprobs", 0, MOST_ALTERNATIVES);
    if (top.isPresent() && !logprobs) {
      throw f.wrong("top_logprobs", "logprobs: true with it");
    }
    OptionalInt most = f.integer("max_completion_tokens", 0, Integer.MAX_VALUE);
    OptionalInt older = f.integer("max_tokens", 0, Integer.MAX_VALUE);
    if (most.isPresent() && older.isPresent()) {
      f.ignore("max_tokens");
    }
    int asked = most.orElse(older.orElse(served.maxTokens()));
    boolean streamed = f.flag("stream");
    boolean usage = StreamEnd.hasUsage(f, streamed);
    int tokens = served.answer(prompt, Math.max(1, asked), "messages");
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < sampling.choices(); i++) {
      requests.add(
          new Request(
              request.owner(),
              prompt,
              form.apply(
                  sampling.options(
                      i, tokens, logprobs ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty())),
              decoding.policy(),
              decoding.maxPending(),
              t -> {},
              Optional.empty(),
              asked == 0));
    }
    SortieAnswer sortie =
        new SortieAnswer(decoding.strategy(), decoding.trace(), sampling.seed(), f.ignored());
    ChatShape shape =
        new ChatShape(
            served, sortie, sampling.choices(), () -> tools.reader(served, form), logprobs, usage);
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
  }

  private int[] prompt(RequestFields f, ToolFields tools) {
    List<JsonObject> given =
        f.objects("messages")
            .filter(m -> !m.isEmpty())
            .orElseThrow(() -> f.missing("messages", "a list of objects with role and content"));
    return new Conversations(served, "messages")
        .encode(ChatMessages.of(given, "messages"), tools, f);
  }
}
