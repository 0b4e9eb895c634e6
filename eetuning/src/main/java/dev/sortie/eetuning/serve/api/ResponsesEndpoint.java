package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.batch.Request;
import dev.sortie.eetuning.decode.tool.CallFormat;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * {@code /v1/responses}: texts and calls of functions. Nothing is stored, so a response cannot be
 * asked for again nor continued by its id.
 *
 * @param answers sends what is generated
 * @param grammars of answers that must have a form
 */
record ResponsesEndpoint(ServedModel served, TextAnswer.Maker answers, Grammars grammars)
    implements ApiEndpoint {
  private static final String LOGPROBS = "message.output_text.logprobs";
  private static final int MOST_ALTERNATIVES = 20;

  @Override
  public void answer(ApiRequest request) throws InterruptedException {
    RequestFields f = request.fields();
    served.check(f);
    refuseWhatIsNotThere(f);
    Optional<String> instructions = f.string("instructions");
    AnswerForm format = AnswerForm.ofResponse(f, grammars);
    ToolFields tools = tools(f, format.json().isPresent());
    int[] prompt =
        new Conversations(served, "input").encode(ResponseInput.of(f, instructions), tools, f);
    SamplingFields sampling = SamplingFields.of(f, served.vocab());
    if (sampling.choices() != 1) {
      throw f.wrong("n", "1: a response has one text");
    }
    AnswerForm form = tools.form(f, format, served, grammars);
    DecodingFields decoding = DecodingFields.of(f, served);
    List<String> include = f.strings("include", 32);
    for (int i = 0; i < include.size(); i++) {
      if (!include.get(i).equals(LOGPROBS)) {
        f.ignore("include[%d]".formatted(i));
      }
    }
    boolean logprobs = include.contains(LOGPROBS);
    OptionalInt top = f.integer("top_logprobs", 0, MOST_ALTERNATIVES);
    if (top.isPresent() && !logprobs) {
      throw f.wrong("top_logprobs", LOGPROBS + " in include with it");
    }
    OptionalInt most = f.integer("max_output_tokens", 1, Integer.MAX_VALUE);
    int tokens = served.answer(prompt, most.orElse(served.maxTokens()), "input");
    boolean streamed = f.flag("stream");
    Request text =
        new Request(
            request.owner(),
            prompt,
            form.apply(
                sampling.options(
                    0, tokens, logprobs ? OptionalInt.of(top.orElse(0)) : OptionalInt.empty())),
            decoding.policy(),
            decoding.maxPending(),
            t -> {},
            Optional.empty(),
            false);
    Map<String, Object> echoed =
        Json.object(
            "instructions",
            instructions.orElse(null),
            "max_output_tokens",
            most.isPresent() ? most.getAsInt() : null,
            "metadata",
            f.object("metadata").map(JsonObject::fields).orElse(new LinkedHashMap<>()),
            "parallel_tool_calls",
            tools.several(),
            "previous_response_id",
            null,
            "temperature",
            sampling.temperature(),
            "text",
            Json.object("format", format(f)),
            "tool_choice",
            f.raw("tool_choice") == null ? "auto" : f.raw("tool_choice"),
            "tools",
            f.objects("tools").orElse(List.of()).stream().map(t -> echoed(t, tools)).toList(),
            "top_p",
            sampling.topP(),
            "truncation",
            "disabled",
            "store",
            false);
    SortieAnswer sortie =
        new SortieAnswer(decoding.strategy(), decoding.trace(), sampling.seed(), f.ignored());
    ResponseShape shape =
        new ResponseShape(served, sortie, echoed, tools.reader(served, form), logprobs);
    answers.send(request, List.of(text), shape, streamed);
  }

  /** The format of the answer as it was asked for. */
  private static Object format(RequestFields f) {
    return f.object("text")
        .flatMap(t -> t.optional("format", t::getObject))
        .<Object>map(o -> o)
        .orElse(Json.object("type", "text"));
  }

  private static void refuseWhatIsNotThere(RequestFields f) {
    f.refuse("previous_response_id", "nothing is stored here; give the whole conversation");
    f.refuse("conversation", "nothing is stored here; give the whole conversation");
    f.refuse("prompt", "no prompts are stored here; give input");
    if (f.flag("background")) {
      f.refuse("background", "nothing is stored here; wait for the answer, or take stream");
    }
    if (f.string("truncation").filter(word -> !word.equals("disabled")).isPresent()) {
      throw f.wrong("truncation", "disabled: what is too long is refused");
    }
  }

  /**
   * Tools are flat here; templates know them as the chat API has them. Functions are strict unless
   * they say otherwise, as in the OpenAI API, where the form of calls is known.
   */
  private ToolFields tools(RequestFields f, boolean formed) {
    List<Map<String, Object>> nested = new ArrayList<>();
    for (JsonObject tool : f.objects("tools").orElse(List.of())) {
      Map<String, Object> function = new LinkedHashMap<>(tool.fields());
      Object type = function.remove("type");
      nested.add(Json.object("type", type, "function", function));
    }
    boolean strict =
        !nested.isEmpty()
            && !f.flag("ignore_eos")
            && served.template().filter(CallFormat::isKnown).isPresent();
    return ToolFields.of(nested, f, formed, strict);
  }

  /** A tool with {@code strict} as it was taken. */
  private static Map<String, Object> echoed(JsonObject tool, ToolFields tools) {
    Map<String, Object> fields = new LinkedHashMap<>(tool.fields());
    if (fields.get("strict") == null) {
      fields.put("strict", tools.holds((String) fields.get("name")));
    }
    return fields;
  }
}
