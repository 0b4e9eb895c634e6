package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.decode.single.EarlyExit;
import dev.sortie.eetuning.explain.ExplanationJson;
import dev.sortie.eetuning.explain.TokenExplainer;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.EncodeOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** {@code /explain}: the explanation is that of the text that is served, and disturbs no other. */
class ExplainEndpointContractTest extends ServedContract {
  private static final String PATH = "/explain";
  private static final String PROMPT = "The hen";

  private static String ask(int token) {
    return """
        {"prompt":"%s","token":%d,"temperature":0,"ignore_eos":true,
         "sortie":{"strategy":"early-exit","threshold":0}}"""
        .formatted(PROMPT, token);
  }

  @Test
  void itIsTheExplanationOfTheSameTextWithoutAServer() throws InterruptedException {
    JsonObject served = tiny.post(PATH, ask(9)).json();
    JsonObject alone =
        Json.parse(
            "alone",
            Json.compact(
                ExplanationJson.of(
                    new TokenExplainer(
                            tiny.model,
                            tiny.exits,
                            new MaxProbability(0),
                            EarlyExit.MAX_PENDING,
                            List.of())
                        .explain(
                            Prompt.encode(tiny.model, PROMPT, EncodeOptions.DEFAULT),
                            9,
                            new GenerateOptions(9, SamplingOptions.GREEDY, List.of(), true),
                            Supplier::get))),
            JsonLimits.DATA);
    for (String field : List.of("prompt_ids", "token", "reads", "deferred")) {
      assertThat(shown(served, field)).as(field).isEqualTo(shown(alone, field));
    }
    for (String field : List.of("layers", "exits", "final", "embedding")) {
      assertThat(untimed(served, field)).as(field).isEqualTo(untimed(alone, field));
    }
    assertThat(served.getString("model")).isEqualTo("tiny");
    assertThat(served.getObjects("exits")).hasSize(2);
  }

  private static String shown(JsonObject object, String field) {
    return Json.compact(Json.object(field, object.fields().get(field)));
  }

  private static String untimed(JsonObject object, String field) {
    return shown(object, field).replaceAll("\"seconds\":[^,}]*", "");
  }

  @Test
  void itIsTheTokenThatTheTraceNames() {
    String trace =
        """
        {"prompt":"%s","max_tokens":8,"temperature":0.9,"seed":5,"ignore_eos":true,
         "sortie":{"strategy":"early-exit","threshold":0.05,"trace":true}}"""
            .formatted(PROMPT);
    List<JsonObject> tokens =
        tiny.post("/v1/completions", trace).json().getObject("sortie").getObjects("trace");
    for (int number = 2; number <= 8; number++) {
      String ask = trace.replace("\"max_tokens\":8", "\"token\":" + number);
      JsonObject explained = tiny.post(PATH, ask).json();
      assertThat(explained.fields()).as("token %d", number).containsKey("token");
      JsonObject token = explained.getObject("token");
      JsonObject traced = tokens.get(number - 1);
      assertThat(token.getInt("id", 0, 999)).isEqualTo(traced.getInt("id", 0, 999));
      assertThat(token.fields().get("exit")).isEqualTo(traced.fields().get("exit"));
      double confidence =
          explained.getObjects("exits").stream()
              .filter(e -> e.fields().get("exit").equals(traced.fields().get("exit")))
              .findFirst()
              .orElseGet(() -> explained.getObject("final"))
              .getDouble("confidence", 0, 1);
      assertThat(confidence).isEqualTo(traced.getDouble("confidence", 0, 1));
    }
  }

  @Test
  void conversationsAreExplainedToo() {
    String messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Where is the hen?\"}]";
    String chat = "{%s,\"max_tokens\":5,\"temperature\":0,\"ignore_eos\":true,%s}";
    JsonObject traced =
        tiny.post("/v1/chat/completions", chat.formatted(messages, "\"sortie\":{\"trace\":true}"))
            .json()
            .getObject("sortie");
    JsonObject explained = tiny.post(PATH, chat.formatted(messages, "\"token\":5")).json();
    assertThat(explained.getObject("token").getInt("id", 0, 999))
        .isEqualTo(traced.getObjects("trace").getLast().getInt("id", 0, 999));
    assertThat(explained.getObject("sortie").getStrings("ignored")).containsExactly("max_tokens");
  }

  /** Texts that are generated meanwhile are what they are alone. */
  @Test
  void othersAreNotDisturbed() throws Exception {
    String text = "{\"prompt\":\"%s\",\"max_tokens\":200,\"temperature\":0,\"ignore_eos\":true}";
    String expected = completion(text.formatted(PROMPT));
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> texts = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        texts.add(clients.submit(() -> completion(text.formatted(PROMPT))));
      }
      assertThat(tiny.post(PATH, ask(60)).status()).isEqualTo(200);
      for (Future<String> each : texts) {
        assertThat(each.get()).isEqualTo(expected);
      }
    }
  }

  private static String completion(String json) {
    return tiny.post("/v1/completions", json)
        .json()
        .getObjects("choices")
        .getFirst()
        .getString("text");
  }

  /** One at a time; a client that leaves makes room for the next one. */
  @Test
  void aClientThatLeavesMakesRoom() throws InterruptedException {
    int status = 200;
    for (int i = 0; i < 100 && status != 429; i++) { // until the one that leaves came first
      try (RawClient leaves = new RawClient(tiny.port())) {
        leaves.ask(PATH, ask(900));
        status = tiny.post(PATH, ask(1)).status();
      }
    }
    assertThat(status).isEqualTo(429);
    long deadline = System.nanoTime() + 1_000_000_000L;
    while (status == 429 && System.nanoTime() < deadline) {
      status = tiny.post(PATH, ask(1)).status();
      Thread.sleep(5);
    }
    assertThat(status).isEqualTo(200);
  }

  @Test
  void wrongFieldsAreNamed() {
    refused("{}", "prompt");
    refused("{\"prompt\":\"a\",\"token\":0}", "token");
    refused("{\"prompt\":\"a\",\"token\":1025}", "token");
    refused("{\"prompt\":[\"a\",\"b\"]}", "prompt");
    refused("{\"prompt\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"b\"}]}", "prompt");
    refused("{\"messages\":[]}", "messages");
    refused("{\"prompt\":\"a\",\"n\":2}", "n");
    refused("{\"prompt\":\"a\",\"sortie\":{\"threshold\":2}}", "sortie.threshold");
    refused("{\"prompt\":\"%s\"}".formatted("hen ".repeat(1100)), "prompt");
    assertThat(tiny.post(PATH, "{\"prompt\":\"a\",\"model\":\"other\"}").status()).isEqualTo(404);
    assertThat(RawClient.get(tiny.port(), PATH).status()).isEqualTo(405);
  }

  private static void refused(String json, String param) {
    RawClient.Answer answer = tiny.post(PATH, json);
    assertThat(answer.status()).as(json).isEqualTo(400);
    assertThat(answer.json().getObject("error").getString("param")).as(json).isEqualTo(param);
  }
}
