package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.grammar.Grammar;
import dev.sortie.eetuning.decode.grammar.TokenGrammar;
import dev.sortie.eetuning.decode.grammar.TokenVocabulary;
import dev.sortie.eetuning.decode.grammar.schema.JsonSchema;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * Answers that must have a form, by a model with random weights: it has no inclination to any, so
 * all that is right comes of the grammar.
 */
class StructuredOutputContractTest extends ServedContract {
  private static final String TEXT = "/v1/completions";
  private static final String CHAT = "/v1/chat/completions";
  private static final JsonLimits LIMITS = new JsonLimits(1 << 20, 200, 1 << 20);

  private static final String SCHEMA =
      """
      {"type":"object","properties":{
        "animal":{"enum":["fox","hen","tree"]},
        "legs":{"type":"integer","minimum":0,"maximum":12},
        "names":{"type":"array","items":{"type":"string","maxLength":5},"minItems":1,"maxItems":3},
        "tame":{"anyOf":[{"type":"boolean"},{"type":"null"}]}},
       "required":["animal","legs","names","tame"],"additionalProperties":false}""";

  private static String format(String schema) {
    return "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"strict\":true,\"schema\":"
        + schema
        + "}}";
  }

  private static void assertAnimal(String text) {
    JsonObject o = Json.parse("answer", text, LIMITS);
    assertThat(o.fields().keySet()).containsExactly("animal", "legs", "names", "tame");
    assertThat(o.getString("animal")).isIn("fox", "hen", "tree");
    assertThat(o.getInt("legs", 0, 12)).isNotNegative();
    assertThat(o.getStrings("names")).hasSizeBetween(1, 3);
    for (String name : o.getStrings("names")) {
      assertThat(name.codePointCount(0, name.length())).isLessThanOrEqualTo(5);
    }
    assertThat(o.fields().get("tame")).isIn(true, false, null);
  }

  /** All at once, in one batch, with exits and without, hot and cold. */
  @Test
  void anAnswerIsADocumentOfItsSchemaAndTheTextThatItIsAlone() throws Exception {
    List<Future<RawClient.Answer>> answers = new ArrayList<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 12; i++) {
        String json =
            """
            {"prompt":"The fox","max_tokens":200,"temperature":%s,"seed":%d,%s,
             "sortie":{"threshold":%s}}"""
                .formatted(i % 3, i, format(SCHEMA), i % 2 == 0 ? "1" : "0.02");
        answers.add(clients.submit(() -> tiny.post(TEXT, json)));
      }
    }
    Grammar grammar = JsonSchema.grammar("schema", Json.parse("schema", SCHEMA, LIMITS));
    TokenGrammar tokens =
        new TokenGrammar(
            grammar,
            new TokenVocabulary(
                tiny.model.tokenizer(), tiny.model.config().decoder().vocab(), tiny.engine.ends()));
    int exits = 0;
    for (int i = 0; i < answers.size(); i++) {
      RawClient.Answer answer = answers.get(i).get();
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
      JsonObject choice = answer.json().getObjects("choices").getFirst();
      assertThat(choice.getString("finish_reason")).isEqualTo("stop");
      assertAnimal(choice.getString("text"));
      Generation alone =
          tiny.alone(
              tiny.model.tokenizer().encode("The fox"),
              new MaxProbability(i % 2 == 0 ? 1 : 0.02),
              new GenerateOptions(200, new SamplingOptions(i % 3, 0, 1, 0, 1, i), List.of(), false)
                  .with(tokens));
      assertThat(choice.getString("text")).isEqualTo(alone.text());
      exits += (int) alone.tokens().stream().filter(t -> t.exit().isPresent()).count();
    }
    assertThat(exits).isPositive();
  }

  @Test
  void choicesOfAStreamAreDocumentsEach() {
    RawClient.Answer stream =
        tiny.post(
            CHAT,
            """
            {"messages":[{"role":"user","content":"A hen?"}],"n":3,"seed":4,"max_tokens":300,
             "stream":true,%s}"""
                .formatted(format(SCHEMA)));
    String[] texts = {"", "", ""};
    for (JsonObject event : stream.events()) {
      for (JsonObject c : event.getObjects("choices")) {
        JsonObject delta = c.getObject("delta");
        texts[c.getInt("index", 0, 2)] += delta.optional("content", delta::getString).orElse("");
      }
    }
    for (String text : texts) {
      assertAnimal(text);
    }
    assertThat(texts).doesNotHaveDuplicates();
  }

  /** What an unbounded text is cut from is still the beginning of a document. */
  @Test
  void anAnswerThatIsCutSaysSo() {
    JsonObject choice =
        tiny.post(
                CHAT,
                """
                {"messages":[{"role":"user","content":"Hi"}],"max_tokens":4,"temperature":0,
                 "response_format":{"type":"json_object"}}""")
            .json()
            .getObjects("choices")
            .getFirst();
    assertThat(choice.getString("finish_reason")).isEqualTo("length");
    assertThat(choice.getObject("message").getString("content")).startsWith("{");
  }

  @Test
  void anyObjectEndsOrIsCut() {
    for (int seed = 0; seed < 12; seed++) {
      JsonObject choice =
          tiny.post(
                  CHAT,
                  """
                  {"messages":[{"role":"user","content":"Hi"}],"max_tokens":150,"seed":%d,
                   "temperature":%s,"response_format":{"type":"json_object"}}"""
                      .formatted(seed, 0.3 * (seed % 5)))
              .json()
              .getObjects("choices")
              .getFirst();
      String text = choice.getObject("message").getString("content");
      if (choice.getString("finish_reason").equals("stop")) {
        assertThat(Json.parse("answer", text, LIMITS)).isNotNull();
      } else {
        assertThat(text).startsWith("{");
      }
    }
  }

  @Test
  void aGrammarIsHonouredWhereverTextsAreMade() {
    String grammar =
        "\"grammar\":\"root ::= \\\"yes\\\" | \\\"no, \\\" [a-f]{2}\",\"temperature\":1.5";
    String expected = "yes|no, [a-f]{2}";
    JsonObject text = tiny.post(TEXT, "{\"prompt\":\"Is it?\"," + grammar + "}").json();
    assertThat(text.getObjects("choices").getFirst().getString("text")).matches(expected);
    assertThat(text.getObject("sortie").getStrings("ignored")).isEmpty();
    JsonObject chat =
        tiny.post(CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]," + grammar + "}")
            .json();
    assertThat(chat.getObjects("choices").getFirst().getObject("message").getString("content"))
        .matches(expected);
    JsonObject response = tiny.post("/v1/responses", "{\"input\":\"a\"," + grammar + "}").json();
    assertThat(output(response)).matches(expected);
  }

  private static String output(JsonObject response) {
    return response
        .getObjects("output")
        .getFirst()
        .getObjects("content")
        .getFirst()
        .getString("text");
  }

  @Test
  void aResponseHasTheFormatThatItWasAskedFor() {
    JsonObject response =
        tiny.post(
                "/v1/responses",
                "{\"input\":\"A fox?\",\"max_output_tokens\":300,\"seed\":2,\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"schema\":%s}}}"
                    .formatted(SCHEMA))
            .json();
    assertAnimal(output(response));
    assertThat(response.getObject("text").getObject("format").getString("type"))
        .isEqualTo("json_schema");
    assertThat(response.getObject("sortie").getStrings("ignored")).isEmpty();
  }

  @Test
  void aSchemaThatIsNotSupportedIsRefusedByKeywordAndPlace() {
    RawClient.Answer answer =
        tiny.post(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],"
                + format("{\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"a*\"}}}")
                + "}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error().getString("message"))
        .contains("#/properties/a/pattern", "not supported");
  }

  private static final String TOOLS =
      """
      "tools":[{"type":"function","function":{"name":"find","parameters":{"type":"object",
        "properties":{"what":{"enum":["fox","hen"]},"times":{"type":"integer","minimum":1,"maximum":99}},
        "required":["what"]}}},
       {"type":"function","function":{"name":"stop \\"it\\""}}]""";

  private static JsonObject called(String more) {
    return tiny.post(
            CHAT,
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Where?\"}],\"max_tokens\":200,"
                + TOOLS
                + ","
                + more
                + "}")
        .json()
        .getObjects("choices")
        .getFirst();
  }

  private static void assertCall(String name, String arguments) {
    JsonObject o = Json.parse("arguments", arguments, LIMITS);
    if (name.equals("find")) {
      assertThat(o.getString("what")).isIn("fox", "hen");
      o.optional("times", n -> o.getInt(n, 1, 99));
    } else {
      assertThat(name).isEqualTo("stop \"it\"");
      assertThat(o.fields()).isEmpty();
    }
  }

  @Test
  void aFunctionThatMustBeCalledIsCalled() {
    for (int seed = 0; seed < 8; seed++) {
      JsonObject choice = called("\"tool_choice\":\"required\",\"seed\":" + seed);
      JsonObject message = choice.getObject("message");
      assertThat(choice.getString("finish_reason")).isEqualTo("tool_calls");
      assertThat(message.has("content")).isFalse();
      assertThat(message.getObjects("tool_calls")).hasSize(1);
      JsonObject call = message.getObjects("tool_calls").getFirst().getObject("function");
      assertCall(call.getString("name"), call.getString("arguments"));
      JsonObject named =
          called(
                  "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"find\"}},\"seed\":"
                      + seed)
              .getObject("message")
              .getObjects("tool_calls")
              .getFirst()
              .getObject("function");
      assertThat(named.getString("name")).isEqualTo("find");
      assertCall("find", named.getString("arguments"));
    }
  }

  @Test
  void aForcedCallIsStreamedAndCutAsItIs() {
    String json =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Where?\"}],\"stream\":true,\"seed\":3,\"max_tokens\":%d,"
            + TOOLS
            + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"find\"}}}";
    List<JsonObject> whole = calls(tiny.post(CHAT, json.formatted(200)));
    assertThat(whole).hasSize(1);
    assertCall("find", whole.getFirst().getObject("function").getString("arguments"));
    int begin =
        tiny.model.tokenizer().encode("{\"name\": \"find\", \"arguments\": {\"what\":").length;
    RawClient.Answer cut = tiny.post(CHAT, json.formatted(begin));
    List<JsonObject> partial = calls(cut);
    assertThat(partial).hasSize(1);
    assertThat(partial.getFirst().getObject("function").getString("arguments")).startsWith("{");
    assertThat(cut.body()).contains("\"finish_reason\":\"length\"");
  }

  @Test
  void aCallOfAResponseThatIsCutIsIncomplete() {
    String json =
        """
        {"input":"Where?","max_output_tokens":%d,"stream":%s,"tool_choice":"required",
         "parallel_tool_calls":false,
         "tools":[{"type":"function","name":"find","parameters":{"type":"object",
          "properties":{"what":{"enum":["fox","hen"]}},"required":["what"]}}]}""";
    int begin =
        tiny.model.tokenizer().encode("{\"name\": \"find\", \"arguments\": {\"what\":").length;
    JsonObject cut = tiny.post("/v1/responses", json.formatted(begin, false)).json();
    JsonObject whole = tiny.post("/v1/responses", json.formatted(200, false)).json();
    List<JsonObject> done =
        tiny.post("/v1/responses", json.formatted(begin, true)).events().stream()
            .filter(e -> e.getString("type").equals("response.output_item.done"))
            .toList();
    JsonObject call = cut.getObjects("output").getFirst();
    assertThat(call.getString("arguments")).startsWith("{").doesNotContain("}");
    assertThat(List.of(cut, call, done.getFirst().getObject("item")))
        .extracting(o -> o.getString("status"))
        .containsOnly("incomplete");
    assertThat(List.of(whole, whole.getObjects("output").getFirst()))
        .extracting(o -> o.getString("status"))
        .containsOnly("completed");
  }

  private static List<JsonObject> calls(RawClient.Answer stream) {
    List<JsonObject> calls = new ArrayList<>();
    for (JsonObject event : stream.events()) {
      for (JsonObject c : event.getObjects("choices")) {
        JsonObject delta = c.getObject("delta");
        assertThat(delta.optional("content", delta::getString).orElse("")).isEmpty();
        delta.optional("tool_calls", delta::getObjects).ifPresent(calls::addAll);
      }
    }
    return calls;
  }

  @Test
  void aResponseCallsWhatItMust() {
    JsonObject response =
        tiny.post(
                "/v1/responses",
                """
                {"input":"Where?","max_output_tokens":200,"tool_choice":"required",
                 "parallel_tool_calls":false,
                 "tools":[{"type":"function","name":"find","strict":true,"parameters":{"type":"object",
                  "properties":{"what":{"enum":["fox","hen"]}},"required":["what"],
                  "additionalProperties":false}}]}""")
            .json();
    JsonObject call = response.getObjects("output").getFirst();
    assertThat(call.getString("type")).isEqualTo("function_call");
    assertCall(call.getString("name"), call.getString("arguments"));
    assertThat(response.fields()).containsEntry("parallel_tool_calls", false);
    assertThat(response.getObject("sortie").getStrings("ignored")).isEmpty();
  }
}
