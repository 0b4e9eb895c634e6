package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Functions that a model may call at will, by a template that has tags for calls. The model has
 * random weights: a bias makes it begin a call.
 */
@Tag("any-kernels")
class ToolsContractTest {
  private static final String CHAT = "/v1/chat/completions";
  private static final JsonLimits LIMITS = new JsonLimits(1 << 20, 200, 1 << 20);
  private static final String TEMPLATE =
      """
      {% if tools %}Call {{ tools[0].function.name }} in <tool_call></tool_call>.
      {% endif %}{% for m in messages %}{{ m.role }}: {{ m.content }}
      {% endfor %}assistant:""";

  private static final String FIND =
      """
      {"name":"find","strict":%s,"parameters":{"type":"object",
        "properties":{"what":{"enum":["fox","hen"]},"times":{"type":"integer","minimum":1,"maximum":99}},
        "required":["what"],"additionalProperties":false}}""";

  private static final String FORMAT =
      """
      {"type":"json_schema",%s"schema":{"type":"object","properties":{"legs":{"type":"integer"}},
        "required":["legs"]}%s}""";

  @TempDir private static Path folder;

  private static TinyServer tiny;

  @BeforeAll
  static void start() throws InterruptedException {
    tiny =
        new TinyServer(
            folder,
            new EngineSettings(8, 8, 4 * TinyServer.CONTEXT),
            HttpLimits.DEFAULT,
            ApiKeys.none(),
            Optional.empty(),
            TEMPLATE);
  }

  @AfterAll
  static void stop() {
    tiny.close();
  }

  private static JsonObject chat(boolean strict, String more) {
    String tool = "{\"type\":\"function\",\"function\":%s}".formatted(FIND.formatted(strict));
    RawClient.Answer answer =
        tiny.post(
            CHAT,
            """
            {"messages":[{"role":"user","content":"Where?"}],"max_tokens":200,"tools":[%s],%s}"""
                .formatted(tool, more));
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    return answer.json();
  }

  private static JsonObject message(JsonObject chat) {
    return chat.getObjects("choices").getFirst().getObject("message");
  }

  /** Makes a text begin with one of these characters, and have them wherever that is allowed. */
  private static String bias(String... characters) {
    List<String> biases = new ArrayList<>();
    for (String character : characters) {
      int[] ids = tiny.model.tokenizer().encode(character);
      assertThat(ids).hasSize(1);
      biases.add("\"%d\":100".formatted(ids[0]));
    }
    return "\"logit_bias\":{%s}".formatted(String.join(",", biases));
  }

  private static void assertCall(String name, String arguments) {
    JsonObject o = Json.parse("arguments", arguments, LIMITS);
    assertThat(name).isEqualTo("find");
    assertThat(o.getString("what")).isIn("fox", "hen");
    o.optional("times", n -> o.getInt(n, 1, 99));
  }

  @Test
  void wordsAreWhatTheyAreWithoutStrictFunctions() {
    for (int seed = 0; seed < 4; seed++) {
      JsonObject strict = chat(true, "\"seed\":" + seed);
      JsonObject free = chat(false, "\"seed\":" + seed);
      assertThat(strict.getObject("sortie").getStrings("ignored")).isEmpty();
      assertThat(message(strict).getString("content"))
          .isNotEmpty()
          .isEqualTo(message(free).getString("content"));
    }
  }

  @Test
  void anAnswerFollowsItsFormatOrCalls() {
    String format = "\"response_format\":" + FORMAT.formatted("\"json_schema\":{", "}");
    for (int seed = 0; seed < 4; seed++) {
      JsonObject called = chat(true, "\"seed\":%d,%s,%s".formatted(seed, format, bias("<")));
      JsonObject function =
          message(called).getObjects("tool_calls").getFirst().getObject("function");
      assertCall(function.getString("name"), function.getString("arguments"));
      assertThat(message(called).has("content")).isFalse();
      assertThat(called.getObject("sortie").getStrings("ignored")).isEmpty();
      JsonObject said = chat(true, "\"seed\":%d,%s,%s".formatted(seed, format, bias("{")));
      assertThat(message(said).has("tool_calls")).isFalse();
      assertThat(
              Json.parse("content", message(said).getString("content"), LIMITS).fields().keySet())
          .containsExactly("legs");
    }
  }

  /** Also where no function is strict. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFormatLeavesRoomForOneCallWhereOnlyOneIsWanted(boolean several) {
    String format = "\"response_format\":" + FORMAT.formatted("\"json_schema\":{", "}");
    String more = "\"parallel_tool_calls\":%s,%s,%s".formatted(several, format, bias("<", "\n"));
    JsonObject called = chat(false, more);
    assertThat(message(called).getObjects("tool_calls").size() > 1).isEqualTo(several);
    assertThat(called.getObject("sortie").getStrings("ignored")).isEmpty();
  }

  @Test
  void aFormatSaysNothingOfACallThatMustBeMade() {
    String format = "\"response_format\":{\"type\":\"json_object\"}";
    JsonObject called =
        chat(false, "\"tool_choice\":\"required\",\"parallel_tool_calls\":false," + format);
    JsonObject function = message(called).getObjects("tool_calls").getFirst().getObject("function");
    assertCall(function.getString("name"), function.getString("arguments"));
    assertThat(called.getObject("sortie").getStrings("ignored")).containsExactly("response_format");
  }

  @Test
  void aResponseFollowsItsFormatOrCalls() {
    String tool = "{\"type\":\"function\"," + FIND.formatted(true).substring(1);
    String json =
        """
        {"input":"Where?","max_output_tokens":200,"parallel_tool_calls":false,"tools":[%s],
         "text":{"format":%s},%s}""";
    String format = FORMAT.formatted("\"name\":\"legs\",", "");
    JsonObject called =
        tiny.post("/v1/responses", json.formatted(tool, format, bias("<")))
            .json()
            .getObjects("output")
            .getFirst();
    assertThat(called.getString("type")).isEqualTo("function_call");
    assertCall(called.getString("name"), called.getString("arguments"));
    RawClient.Answer stream =
        tiny.post("/v1/responses", json.formatted(tool, format, bias("{") + ",\"stream\":true"));
    assertThat(stream.body())
        .contains("response.output_text.delta", "response.completed")
        .doesNotContain("function_call_arguments");
  }

  /** The model's form of a call is no words, wherever its answer is cut. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4, 9})
  void aCallThatIsCutBeforeItsArgumentsIsLeftOut(int most) {
    String tool = "{\"type\":\"function\"," + FIND.formatted(true).substring(1);
    String json =
        """
        {"input":"Where?","max_output_tokens":%d,"seed":1,"tool_choice":"required",
         "include":["message.output_text.logprobs","file_search_call.results"],"tools":[%s]}""";
    JsonObject cut = tiny.post("/v1/responses", json.formatted(most, tool)).json();
    assertThat(cut.getString("status")).isEqualTo("incomplete");
    JsonObject message = cut.getObjects("output").getFirst();
    assertThat(message.getString("type")).isEqualTo("message");
    JsonObject said = message.getObjects("content").getFirst();
    assertThat(said.getString("text")).isEmpty();
    assertThat(cut.getObject("sortie").getStrings("ignored")).containsExactly("include[1]");
  }

  /** What a client gets it sends back, without a text, and with what came of the call. */
  @Test
  void aCallAndItsResultGoOnAsAConversation() {
    String messages =
        """
        {"messages":[{"role":"user","content":"Where?"},
          {"role":"assistant","content":null,"tool_calls":[{"id":"abcdefghi","type":"function",
            "function":{"name":"find","arguments":"{\\"what\\":\\"fox\\"}"}}]},
          {"role":"tool","tool_call_id":"abcdefghi","content":"in the den"}],"max_tokens":3}""";
    RawClient.Answer answer = tiny.post(CHAT, messages);
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(tiny.post("/apply-template", messages).json().getString("prompt"))
        .contains("assistant: \n", "tool: in the den");
  }

  /** Arguments that a stop text cuts are no call that could be made. */
  @Test
  void aStopTextWithinACallLeavesItCut() {
    String more = "\"tool_choice\":\"required\",\"stop\":[\"fox\",\"hen\"]";
    JsonObject choice = chat(false, more).getObjects("choices").getFirst();
    assertThat(choice.getString("finish_reason")).isEqualTo("stop");
    String tool = "{\"type\":\"function\"," + FIND.formatted(true).substring(1);
    JsonObject response =
        tiny.post(
                "/v1/responses",
                "{\"input\":\"Where?\",\"max_output_tokens\":200,\"tools\":[%s],%s}"
                    .formatted(tool, more))
            .json();
    assertThat(response.getString("status")).isEqualTo("incomplete");
    assertThat(response.getObject("incomplete_details").getString("reason")).isEqualTo("stop");
    assertThat(response.getObjects("output").getFirst().getString("status"))
        .isEqualTo("incomplete");
  }

  /**
   * As in the OpenAI API: held unless the function says otherwise. Whether calls may follow each
   * other matters only where they are held.
   */
  @ParameterizedTest
  @CsvSource({"'', true", "'\"strict\":null,', true", "'\"strict\":false,', false"})
  void functionsOfResponsesAreStrictByDefault(String word, boolean held) {
    String tool =
        """
        {"type":"function","name":"find",%s"parameters":{"type":"object",
          "properties":{"what":{"enum":["fox","hen"]}},"required":["what"]}}"""
            .formatted(word);
    JsonObject answer =
        tiny.post(
                "/v1/responses",
                """
                {"input":"Where?","max_output_tokens":2,"parallel_tool_calls":false,"tools":[%s]}"""
                    .formatted(tool))
            .json();
    assertThat(answer.getObjects("tools").getFirst().fields()).containsEntry("strict", held);
    assertThat(answer.getObject("sortie").getStrings("ignored"))
        .isEqualTo(held ? List.of() : List.of("parallel_tool_calls"));
  }

  /** Nobody asked for it, so nothing is refused. */
  @ParameterizedTest
  @CsvSource({"'\"pattern\":\"a*\"', ''", "'\"maxLength\":3', '\"ignore_eos\":true,'"})
  void aFunctionOfAResponseThatCannotBeHeldIsNot(String schema, String more) {
    RawClient.Answer answer =
        tiny.post(
            "/v1/responses",
            """
            {"input":"a","max_output_tokens":2,%s"tools":[{"type":"function","name":"f",
              "parameters":{"type":"object","properties":{"a":{"type":"string",%s}}}}]}"""
                .formatted(more, schema));
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    assertThat(answer.json().getObjects("tools").getFirst().fields())
        .containsEntry("strict", false);
  }

  @Test
  void aSchemaThatIsNotSupportedIsRefusedIfItIsStrict() {
    String json =
        """
        {"messages":[{"role":"user","content":"a"}],"max_tokens":2,
         "tools":[{"type":"function","function":{"name":"f","strict":%s,"parameters":{"type":"object",
           "properties":{"a":{"type":"string","pattern":"a*"}}}}}]}""";
    RawClient.Answer refused = tiny.post(CHAT, json.formatted(true));
    assertThat(refused.status()).isEqualTo(400);
    assertThat(refused.error().getString("param")).isEqualTo("tools");
    assertThat(refused.error().getString("message"))
        .contains("tools[0].function.parameters", "pattern");
    assertThat(tiny.post(CHAT, json.formatted(false)).status()).isEqualTo(200);
  }

  @Test
  void aTextThatMayNotEndIsRefusedWhereAFunctionIsStrict() {
    RawClient.Answer refused =
        tiny.post(
            CHAT,
            """
            {"messages":[{"role":"user","content":"a"}],"ignore_eos":true,
             "tools":[{"type":"function","function":{"name":"f","strict":true}}]}""");
    assertThat(refused.error().getString("param")).isEqualTo("ignore_eos");
  }

  /** Its template does not say how calls are written. */
  @Test
  void strictHasNoEffectWhereTheFormOfCallsIsNotKnown(@TempDir Path other)
      throws InterruptedException {
    try (TinyServer unknown = TinyServer.start(other)) {
      JsonObject answer =
          unknown
              .post(
                  CHAT,
                  """
                  {"messages":[{"role":"user","content":"a"}],"max_tokens":2,"tools":[
                    {"type":"function","function":{"name":"f"}},
                    {"type":"function","function":{"name":"g","strict":true}}]}""")
              .json();
      assertThat(answer.getObject("sortie").getStrings("ignored"))
          .containsExactly("tools[1].function.strict");
    }
  }
}
