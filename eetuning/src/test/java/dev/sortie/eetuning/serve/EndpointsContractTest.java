package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.NoGrad;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.memory.Workspace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The other endpoints: responses, embeddings, and what needs no pass. */
class EndpointsContractTest extends ServedContract {
  private static final String RESPONSES = "/v1/responses";
  private static final String TOOL =
      "{\"type\":\"function\",\"name\":\"find\",\"parameters\":{\"type\":\"object\"}}";

  private static Generation alone(int tokens, ChatMessage... messages) {
    int[] prompt =
        tiny.template.encode(List.of(messages), ChatOptions.DEFAULT, tiny.model.tokenizer());
    return tiny.alone(
        prompt,
        new MaxProbability(1),
        new GenerateOptions(tokens, SamplingOptions.GREEDY, List.of(), false));
  }

  @Test
  void aResponseIsTheTextOfItsConversation() {
    Generation expected =
        alone(
            25, ChatMessage.of("system", "Be brief."), ChatMessage.of("user", "Where is the hen?"));
    String json =
        """
        {"instructions":"Be brief.","input":"Where is the hen?","max_output_tokens":25,
         "temperature":0,"store":true,"metadata":{"a":"b"},
         "text":{"format":{"type":"text","name":"n","schema":{}}},"stream":%s}""";
    JsonObject whole = tiny.post(RESPONSES, json.formatted(false)).json();
    String status = expected.finish().equals("stop") ? "completed" : "incomplete";
    assertThat(whole.getString("status")).isEqualTo(status);
    assertThat(text(whole)).isEqualTo(expected.text());
    assertThat(whole.getObject("metadata").fields()).containsEntry("a", "b");
    assertThat(whole.getObject("sortie").getStrings("ignored"))
        .containsExactly("store", "text.format.name", "text.format.schema");
    assertThat(whole.getObject("usage").getInt("input_tokens", 0, 999))
        .isEqualTo(expected.promptIds().length);
    RawClient.Answer stream = tiny.post(RESPONSES, json.formatted(true));
    List<JsonObject> events = stream.events();
    assertThat(events.stream().map(e -> e.getInt("sequence_number", 0, 9999)).toList())
        .isEqualTo(IntStream.range(0, events.size()).boxed().toList());
    List<String> types = events.stream().map(e -> e.getString("type")).toList();
    assertThat(stream.body().lines().filter(l -> l.startsWith("event: ")).map(l -> l.substring(7)))
        .containsExactlyElementsOf(types);
    assertThat(types.stream().distinct())
        .containsExactly(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response." + status);
    assertThat(
            events.stream()
                .filter(e -> e.getString("type").endsWith("delta"))
                .map(e -> e.getString("delta"))
                .collect(Collectors.joining()))
        .isEqualTo(expected.text());
    assertThat(text(events.getLast().getObject("response"))).isEqualTo(expected.text());
    assertThat(stream.body()).doesNotContain("[DONE]");
  }

  private static String text(JsonObject response) {
    return response
        .getObjects("output")
        .getFirst()
        .getObjects("content")
        .getFirst()
        .getString("text");
  }

  /** Each token has an entry, also where its text is a part of a character or is held back. */
  @Test
  void probabilitiesOfAResponseAreThoseOfAllItsTokens() {
    String json =
        """
        {"input":"Where?","max_output_tokens":40,"temperature":2,"seed":%d,"stream":%s,"tools":[%s],
         "include":["message.output_text.logprobs"]}""";
    for (int seed = 0; seed < 4; seed++) {
      JsonObject whole = tiny.post(RESPONSES, json.formatted(seed, false, TOOL)).json();
      List<JsonObject> expected =
          content(whole.getObjects("output").getFirst()).getObjects("logprobs");
      boolean ended = whole.getString("status").equals("completed");
      assertThat(expected)
          .hasSize(whole.getObject("usage").getInt("output_tokens", 0, 40) - (ended ? 1 : 0));
      List<JsonObject> events = tiny.post(RESPONSES, json.formatted(seed, true, TOOL)).events();
      List<Object> deltas = new ArrayList<>();
      for (JsonObject e : events) {
        if (e.getString("type").equals("response.output_text.delta")) {
          deltas.addAll(e.getList("logprobs"));
        } else if (e.getString("type").equals("response.output_text.done")) {
          assertThat(e.getObjects("logprobs")).asString().isEqualTo(expected.toString());
        }
      }
      assertThat(deltas).asString().isEqualTo(expected.toString());
    }
  }

  private static JsonObject content(JsonObject message) {
    return message.getObjects("content").getFirst();
  }

  @Test
  void callsAndTheirResultsGoToTheTemplate() {
    String json =
        """
        {"input":[{"role":"user","content":[{"type":"input_text","text":"Where?"}]},
          {"type":"function_call","call_id":"c","name":"find","arguments":"{}"},
          {"type":"function_call_output","call_id":"c","output":"Here."}],
         "tools":[%s],"max_output_tokens":3,"temperature":0}"""
            .formatted(TOOL);
    JsonObject answer = tiny.post(RESPONSES, json).json();
    String rendered =
        tiny.post(
                "/apply-template",
                """
                {"messages":[{"role":"user","content":"Where?"},{"role":"assistant","content":""},
                 {"role":"tool","content":"Here."}],
                 "tools":[{"type":"function","function":{"name":"find","parameters":{"type":"object"}}}]}""")
            .json()
            .getString("prompt");
    assertThat(rendered).startsWith("tools: ").contains("find", "tool: Here.");
    assertThat(answer.getObject("usage").getInt("input_tokens", 1, 9999))
        .isEqualTo(tiny.model.tokenizer().encode(rendered).length);
    assertThat(answer.getObjects("tools").getFirst().getString("name")).isEqualTo("find");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "previous_response_id":"r"                    | previous_response_id
          "conversation":"c"                            | conversation
          "background":true                             | background
          "truncation":"auto"                           | truncation
          "text":{"format":{"type":"json_schema"}}      | text.format.schema
          "text":{"format":{"type":"json_schema","schema":{"type":"string","pattern":"a"}}} | text.format.schema
          "text":{"format":{"type":"yaml"}}             | text.format.type
          "text":{"format":{"type":"text","description":5}} | text.format.description
          "text":{"format":{"type":"json_object","schema":[]}} | text.format.schema
          "tools":[{"type":"file_search"}]              | tools[0].type
          "tool_choice":"required"                      | tool_choice
          "max_output_tokens":0                         | max_output_tokens
          "input":[{"type":"item_reference","id":"a"}]  | input[0].type
          "input":[{"role":"user","content":[{"type":"input_image"}]}] | input[0].content[0].type
          "input":[{"type":"function_call_output"}]     | input[0].call_id
          """)
  void whatAResponseCannotHonourIsRefusedByName(String field, String param) {
    RawClient.Answer answer =
        tiny.post(
            RESPONSES, "{" + (field.contains("\"input\"") ? "" : "\"input\":\"a\",") + field + "}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error().getString("param")).isEqualTo(param);
  }

  /** In the words and with the code of the official API, which takes no less than 16. */
  @Test
  void aResponseOfNoTokensIsRefused() {
    RawClient.Answer answer = tiny.post(RESPONSES, "{\"input\":\"a\",\"max_output_tokens\":0}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.error().getString("code")).isEqualTo("integer_below_min_value");
    assertThat(answer.error().getString("type")).isEqualTo("invalid_request_error");
    assertThat(answer.error().getString("message"))
        .isEqualTo(
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.");
  }

  /** Against a pass over the whole text without a cache. */
  @Test
  void anEmbeddingIsTheMeanOfTheFinalNorm() {
    int[] ids = tiny.model.tokenizer().encode("The fox ran over the hill. ".repeat(30));
    double[] sum = new double[16];
    try (Workspace workspace = new Workspace()) {
      Ops ops = new Ops(tiny.device(), workspace);
      Decoder d = tiny.model.decoder();
      NoGrad.run(
          () -> {
            Tensor x =
                d.forward(
                    ops,
                    Tensor.ids(workspace, Shape.of(1, ids.length), ids),
                    d.config().layers(),
                    Decoder.Tap.NONE);
            Tensor normed = d.finalNorm().apply(ops, x);
            for (int i = 0; i < ids.length * sum.length; i++) {
              sum[i % sum.length] += normed.span().get(i);
            }
          });
    }
    double length = Math.sqrt(Arrays.stream(sum).map(x -> x * x).sum());
    JsonObject answer =
        tiny.post("/v1/embeddings", "{\"input\":[%s,[1,2,3]]}".formatted(Arrays.toString(ids)))
            .json();
    List<JsonObject> data = answer.getObjects("data");
    assertThat(data).hasSize(2);
    for (int i = 0; i < sum.length; i++) {
      assertThat((Double) data.getFirst().getList("embedding").get(i))
          .isCloseTo(sum[i] / length, within(1e-5));
    }
    assertThat(answer.getObject("usage").getInt("prompt_tokens", 0, 9999))
        .isEqualTo(ids.length + 3);
    JsonObject base64 =
        tiny.post("/v1/embeddings", "{\"input\":[1,2,3],\"encoding_format\":\"base64\"}").json();
    ByteBuffer bytes =
        ByteBuffer.wrap(
                Base64.getDecoder()
                    .decode(base64.getObjects("data").getFirst().getString("embedding")))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (Object x : data.getLast().getList("embedding")) {
      assertThat(bytes.getFloat()).isEqualTo(((Double) x).floatValue());
    }
    assertThat(tiny.post("/v1/embeddings", "{\"input\":\"a\",\"dimensions\":8}").status())
        .isEqualTo(400);
  }

  /** More than run and wait at once. */
  @Test
  void manyTextsOfOneRequestAreReadAndContinued() {
    String inputs =
        IntStream.range(0, 60).mapToObj("[1,2,%d]"::formatted).collect(Collectors.joining(","));
    RawClient.Answer read = tiny.post("/v1/embeddings", "{\"input\":[%s]}".formatted(inputs));
    assertThat(read.status()).as(read.body()).isEqualTo(200);
    List<JsonObject> data = read.json().getObjects("data");
    assertThat(data).hasSize(60);
    assertThat(data.get(59).getList("embedding"))
        .isEqualTo(
            tiny.post("/v1/embeddings", "{\"input\":[1,2,59]}")
                .json()
                .getObjects("data")
                .getFirst()
                .getList("embedding"));
    RawClient.Answer texts =
        tiny.post(
            "/v1/completions", "{\"prompt\":[%s],\"max_tokens\":2,\"n\":2}".formatted(inputs));
    assertThat(texts.status()).as(texts.body()).isEqualTo(200);
    assertThat(texts.json().getObjects("choices")).hasSize(120);
  }

  @Test
  void textsAndIdsAndWhatTheServerIs() {
    String text = "The hen said: \\\"<|endoftext|>\\\" \\u00e9";
    JsonObject ids = tiny.post("/tokenize", "{\"content\":\"" + text + "\"}").json();
    String plain = "The hen said: \"<|endoftext|>\" \u00e9";
    assertThat(ids.getInts("tokens", 0, 999))
        .isEqualTo(Arrays.stream(tiny.model.tokenizer().encode(plain)).boxed().toList());
    assertThat(
            tiny.post("/detokenize", "{\"tokens\":" + ids.getList("tokens") + "}")
                .json()
                .getString("content"))
        .isEqualTo(plain);
    JsonObject special =
        tiny.post(
                "/tokenize",
                "{\"content\":\"" + text + "\",\"parse_special\":true,\"with_pieces\":true}")
            .json();
    assertThat(special.getObjects("tokens"))
        .anySatisfy(t -> assertThat(t.getString("piece")).isEqualTo("<|endoftext|>"));
    assertThat(tiny.post("/detokenize", "{\"tokens\":[999]}").status()).isEqualTo(400);
    JsonObject props = RawClient.get(tiny.port(), "/props").json();
    assertThat(props.getInts("exits", 1, 4)).containsExactly(1, 3);
    assertThat(props.getInt("total_slots", 0, 99)).isEqualTo(8);
  }

  @Test
  void chatWithToolsSaysWhatIsNoCallAsText() {
    String json =
        """
        {"messages":[{"role":"user","content":"Where is the fox?"}],"max_tokens":20,"temperature":0,
         "tools":[{"type":"function","function":{"name":"find"}}],"stream":%s%s}""";
    JsonObject whole =
        tiny.post("/v1/chat/completions", json.formatted(false, ""))
            .json()
            .getObjects("choices")
            .getFirst();
    String content = whole.getObject("message").getString("content");
    assertThat(content).isNotEmpty();
    String streamed =
        tiny.post("/v1/chat/completions", json.formatted(true, "")).events().stream()
            .flatMap(e -> e.getObjects("choices").stream())
            .map(c -> c.getObject("delta"))
            .flatMap(d -> d.optional("content", d::getString).stream())
            .collect(Collectors.joining());
    assertThat(streamed).isEqualTo(content);
    Map<String, Object> without =
        tiny.post("/v1/chat/completions", json.formatted(false, ",\"tool_choice\":\"none\""))
            .json()
            .getObject("usage")
            .fields();
    assertThat((Long) without.get("prompt_tokens")).isLessThan(60);
  }
}
