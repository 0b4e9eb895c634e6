package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * The OpenAPI document says what the server takes: its paths are those of the server, the fields of
 * a request that it lists have an effect, and others have none or are refused by name.
 */
@Tag("any-kernels")
class OpenApiContractTest extends ServedContract {
  private static final String PROMPT = "prompt";
  private static final String MESSAGES = "messages";
  private static final List<?> CONVERSATION =
      List.of(Json.object("role", "user", "content", "Where is the hen?"));

  /** What each endpoint cannot do without. */
  private static final Map<String, Map<String, Object>> NEEDED =
      Map.of(
          "/v1/chat/completions", Map.of(MESSAGES, CONVERSATION),
          "/v1/completions", Map.of(PROMPT, "The hen"),
          "/v1/responses", Map.of("input", "Where is the hen?"),
          "/v1/embeddings", Map.of("input", "The hen"),
          "/tokenize", Map.of("content", "The hen"),
          "/detokenize", Map.of("tokens", List.of(1)),
          "/apply-template", Map.of(MESSAGES, CONVERSATION),
          "/explain", Map.of(PROMPT, "The hen"));

  static final List<String> PATHS = List.copyOf(new TreeSet<>(NEEDED.keySet()));

  /** A value for each field of the document that all endpoints with this field take. */
  private static final Map<String, Object> VALUES =
      Map.ofEntries(
          Map.entry(MESSAGES, CONVERSATION),
          Map.entry(PROMPT, "The hen"),
          Map.entry("input", "The hen"),
          Map.entry("content", "The hen"),
          Map.entry("tokens", List.of(1)),
          Map.entry("instructions", "Be brief."),
          Map.entry("model", "tiny"),
          Map.entry("max_tokens", 2),
          Map.entry("max_completion_tokens", 2),
          Map.entry("max_output_tokens", 2),
          Map.entry("temperature", 0.5),
          Map.entry("top_p", 0.5),
          Map.entry("top_k", 5),
          Map.entry("min_p", 0.1),
          Map.entry("repetition_penalty", 1.1),
          Map.entry("frequency_penalty", 0.5),
          Map.entry("presence_penalty", 0.5),
          Map.entry("logit_bias", Map.of("5", 1)),
          Map.entry("seed", 3),
          Map.entry("n", 1),
          Map.entry("best_of", 1),
          Map.entry("stop", "zzz"),
          Map.entry("ignore_eos", true),
          Map.entry("echo", true),
          Map.entry("stream", false),
          Map.entry("stream_options", Map.of("include_usage", true)),
          Map.entry("tools", List.of()),
          Map.entry("tool_choice", "auto"),
          Map.entry("parallel_tool_calls", false),
          Map.entry("chat_template_kwargs", Map.of()),
          Map.entry("modalities", List.of("text")),
          Map.entry("response_format", Map.of("type", "text")),
          Map.entry("text", Map.of("format", Map.of("type", "text"))),
          Map.entry("grammar", "root ::= \"a\""),
          Map.entry("include", List.of()),
          Map.entry("metadata", Map.of("a", "b")),
          Map.entry("truncation", "disabled"),
          Map.entry("background", false),
          Map.entry("encoding_format", "base64"),
          Map.entry("dimensions", 16),
          Map.entry("add_special", true),
          Map.entry("add_special_tokens", true),
          Map.entry("parse_special", true),
          Map.entry("with_pieces", true),
          Map.entry("token", 1),
          Map.entry("sortie", Map.of("threshold", 0.5)));

  private static final Map<String, Object> ONE_CALL =
      Map.of(
          "tools",
          List.of(Map.of("type", "function", "function", Map.of("name", "find"))),
          "tool_choice",
          "required",
          "parallel_tool_calls",
          false);

  private static final Map<String, Object> STREAMED_USAGE =
      Map.of("stream", true, "stream_options", Map.of("include_usage", true));

  /** Values of fields that are of another kind elsewhere, or need others with them. */
  private static final Map<String, Map<String, Object>> SPECIAL =
      Map.of(
          "/v1/chat/completions parallel_tool_calls", ONE_CALL,
          "/explain parallel_tool_calls", ONE_CALL,
          "/v1/responses parallel_tool_calls",
              Map.of(
                  "tools",
                  List.of(Map.of("type", "function", "name", "find")),
                  "tool_choice",
                  "required",
                  "parallel_tool_calls",
                  false),
          "/v1/chat/completions stream_options", STREAMED_USAGE,
          "/v1/completions stream_options", STREAMED_USAGE,
          "/v1/chat/completions logprobs", Map.of("logprobs", true),
          "/v1/completions logprobs", Map.of("logprobs", 1),
          "/v1/chat/completions top_logprobs", Map.of("logprobs", true, "top_logprobs", 1),
          "/v1/responses top_logprobs",
              Map.of("include", List.of("message.output_text.logprobs"), "top_logprobs", 1));

  /** Fields that have no effect on a text that is given as it is. */
  private static final Set<String> OF_CONVERSATIONS =
      Set.of(MESSAGES, "tools", "tool_choice", "parallel_tool_calls", "chat_template_kwargs");

  private static JsonObject document;

  @BeforeAll
  static void readTheDocument() {
    document = RawClient.get(tiny.port(), "/openapi.json").json();
  }

  @Test
  void itsPathsAreThoseOfTheServer() {
    List<String> paths =
        document.getObject("paths").fields().keySet().stream()
            .map(path -> path.replace("{model}", "tiny"))
            .toList();
    List<String> served = RawClient.get(tiny.port(), "/props").json().getStrings("endpoints");
    assertThat(paths).containsExactlyInAnyOrderElementsOf(served);
    assertThat(
            document.getObject("paths").fields().values().stream()
                .filter(path -> ((JsonObject) path).has("post")))
        .hasSameSizeAs(PATHS);
  }

  /** A reader of the document sees which model is served. */
  @Test
  void itNamesWhatTheModelTakes() {
    JsonObject schemas = document.getObject("components").getObject("schemas");
    assertThat(schemas.getObject("ModelName").getStrings("enum")).containsExactly("tiny");
    assertThat(schemas.getObject("TokenId").getInt("maximum", 0, 9999)).isEqualTo(289);
    assertThat(schemas.getObject("EmbeddingSize").getList("enum")).isEqualTo(List.of(16L));
  }

  private static Set<String> documented(String path) {
    return document
        .getObject("paths")
        .getObject(path)
        .getObject("post")
        .getObject("requestBody")
        .getObject("content")
        .getObject("application/json")
        .getObject("schema")
        .getObject("properties")
        .fields()
        .keySet();
  }

  private static RawClient.Answer ask(String path, String field) {
    Map<String, Object> body = new LinkedHashMap<>(NEEDED.get(path));
    if (path.equals("/explain") && OF_CONVERSATIONS.contains(field)) {
      body.remove(PROMPT);
      body.put(MESSAGES, CONVERSATION);
    }
    Map<String, Object> more =
        SPECIAL.getOrDefault(
            path + " " + field, Map.of(field, VALUES.getOrDefault(field, "nothing")));
    if (path.equals("/tokenize") && field.equals(PROMPT)) {
      body.remove("content");
    }
    body.putAll(more);
    return tiny.post(path, Json.compact(body));
  }

  private static List<String> ignored(RawClient.Answer answer) {
    boolean streamed = answer.headers().get("Content-Type").startsWith("text/event-stream");
    return (streamed ? answer.events() : List.of(answer.json()))
        .stream()
            .filter(part -> part.has("sortie"))
            .toList()
            .getLast()
            .getObject("sortie")
            .getStrings("ignored");
  }

  @ParameterizedTest
  @FieldSource("PATHS")
  void whatItListsHasAnEffect(String path) {
    for (String field : documented(path)) {
      RawClient.Answer answer = ask(path, field);
      assertThat(answer.status()).as("%s: %s", field, answer.body()).isEqualTo(200);
      assertThat(ignored(answer)).as(field).isEmpty();
    }
  }

  @ParameterizedTest
  @FieldSource("PATHS")
  void whatItDoesNotListHasNoneOrIsRefused(String path) {
    Set<String> others = new TreeSet<>(VALUES.keySet());
    PATHS.forEach(other -> others.addAll(documented(other)));
    others.removeAll(documented(path));
    for (String field : others) {
      RawClient.Answer answer = ask(path, field);
      if (answer.status() == 200) {
        assertThat(ignored(answer)).as(field).containsExactly(field);
      } else {
        assertThat(answer.error().getString("param")).as(answer.body()).isEqualTo(field);
      }
    }
  }

  @Test
  void theFieldsOfItsObjectSortieHaveAnEffect() {
    Map<String, Object> values =
        Map.of(
            "strategy",
            "full",
            "threshold",
            0.5,
            "thresholds",
            Map.of("1", 0.5),
            "exits",
            List.of(1),
            "policy",
            "margin",
            "patience",
            3,
            "max_pending",
            4,
            "trace",
            true);
    Set<String> fields =
        document
            .getObject("components")
            .getObject("schemas")
            .getObject("Sortie")
            .getObject("properties")
            .fields()
            .keySet();
    assertThat(fields).isEqualTo(values.keySet());
    for (String field : fields) {
      Map<String, Object> body =
          Json.object(
              PROMPT,
              "The hen",
              "sortie",
              field.equals("patience")
                  ? Map.of(field, values.get(field), "policy", "agreement")
                  : Map.of(field, values.get(field)));
      RawClient.Answer answer = tiny.post("/v1/completions", Json.compact(body));
      assertThat(answer.status()).as(answer.body()).isEqualTo(200);
      assertThat(ignored(answer)).as(field).isEmpty();
    }
  }
}
