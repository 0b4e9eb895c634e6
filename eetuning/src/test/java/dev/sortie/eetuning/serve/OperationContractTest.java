package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators see and do: metrics, a log of requests, an end without a lost answer. */
@Tag("any-kernels")
class OperationContractTest {
  private static final String TEXT = "/v1/completions";

  @TempDir private Path folder;

  private TinyServer tiny;

  @BeforeEach
  void start() throws InterruptedException {
    tiny = TinyServer.start(folder);
  }

  @AfterEach
  void stop() {
    tiny.close();
  }

  private Map<String, Double> metrics() {
    Map<String, Double> values = new TreeMap<>();
    RawClient.Answer answer = RawClient.get(tiny.port(), "/metrics");
    assertThat(answer.headers().get("Content-Type")).startsWith("text/plain; version=0.0.4");
    String type = "";
    for (String line : answer.body().lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        type = line.split(" ")[2];
      } else if (!line.startsWith("#")) {
        assertThat(line).startsWith(type);
        int space = line.lastIndexOf(' ');
        assertThat(values.put(line.substring(0, space), Double.valueOf(line.substring(space))))
            .as(line)
            .isNull();
      }
    }
    return values;
  }

  /** Not in metrics, logs or the cache: the prompt that was rehearsed is read anew, once. */
  @Test
  void theRehearsalLeavesNoTrace() {
    assertThat(tiny.log).isEmpty();
    Map<String, Double> m = metrics();
    assertThat(m)
        .containsEntry("sortie_ready", 1.0)
        .containsEntry("sortie_tokens_generated_total", 0.0)
        .containsEntry("sortie_prompt_tokens_total", 0.0)
        .containsEntry("sortie_kv_pages_free", m.get("sortie_kv_pages"));
    assertThat(m.keySet()).noneMatch(name -> name.contains("/v1/"));
    String json = "{\"prompt\":\"%s\",\"max_tokens\":1}".formatted(Rehearsal.TEXT);
    int[] cached = new int[2];
    for (int i = 0; i < cached.length; i++) {
      JsonObject usage = tiny.post(TEXT, json).json().getObject("usage");
      cached[i] = usage.getObject("prompt_tokens_details").getInt("cached_tokens", 0, 9999);
    }
    assertThat(cached).containsExactly(0, 64);
  }

  @Test
  void metricsCountWhatWasDone() throws InterruptedException {
    String prompt = "The fox ran over the hill and the hen sat under the tree. ".repeat(12);
    String json =
        "{\"prompt\":\"%s\",\"max_tokens\":30,\"seed\":7,\"ignore_eos\":true,\"sortie\":{\"threshold\":0.03}}"
            .formatted(prompt);
    JsonObject first = tiny.post(TEXT, json).json();
    JsonObject second = tiny.post(TEXT, json).json();
    assertThat(tiny.post(TEXT, "{}").status()).isEqualTo(400);
    assertThat(RawClient.get(tiny.port(), "/such/a/path").status()).isEqualTo(404);
    assertThat(tiny.isIdleWithinASecond()).isTrue();
    tiny.awaitRequests(4);
    Map<String, Double> m = metrics();
    assertThat(m)
        .containsEntry("sortie_ready", 1.0)
        .containsEntry("sortie_texts_running", 0.0)
        .containsEntry("sortie_texts_waiting", 0.0)
        .containsEntry("sortie_kv_pages_free", m.get("sortie_kv_pages"))
        .containsEntry("sortie_requests_total{path=\"/v1/completions\"}", 3.0)
        .containsEntry("sortie_requests_total{path=\"other\"}", 1.0)
        .containsEntry("sortie_responses_total{status=\"200\"}", 2.0)
        .containsEntry("sortie_texts_total{finish=\"length\"}", 2.0)
        .containsEntry("sortie_tokens_generated_total", 60.0)
        .containsEntry("sortie_time_to_first_token_seconds_count", 2.0)
        .containsEntry("sortie_time_to_first_token_seconds_bucket{le=\"+Inf\"}", 2.0)
        .containsEntry("sortie_prefix_hits_total", 1.0);
    int found =
        second
            .getObject("usage")
            .getObject("prompt_tokens_details")
            .getInt("cached_tokens", 1, 9999);
    assertThat(m).containsEntry("sortie_prompt_tokens_found_total", (double) found);
    Map<String, Object> left = first.getObject("sortie").getObject("exits").fields();
    assertThat(left).hasSizeGreaterThan(1);
    left.forEach(
        (exit, count) ->
            assertThat(m)
                .containsEntry(
                    "sortie_tokens_by_exit_total{exit=\"" + exit + "\"}", 2.0 * (Long) count));
  }

  /** One text is being written; the other waited when its client left. */
  @Test
  void promptsThatNobodyReadAreNotCounted() throws InterruptedException {
    tiny.close();
    tiny =
        new TinyServer(
            folder,
            new EngineSettings(1, 8, 4 * TinyServer.CONTEXT),
            HttpLimits.DEFAULT,
            ApiKeys.none());
    String json = "{\"prompt\":\"%s\",\"max_tokens\":15000,\"ignore_eos\":true,\"stream\":true}";
    try (RawClient writing = new RawClient(tiny.port())) {
      writing.ask(TEXT, json.formatted("The fox"));
      writing.head();
      writing.line();
      try (RawClient waiting = new RawClient(tiny.port())) {
        waiting.ask(TEXT, json.formatted("The hen sat under the tree. ".repeat(9)));
        waiting.head();
      }
      tiny.awaitRequests(1); // or its text might begin in the place that the other leaves
    }
    assertThat(tiny.isIdleWithinASecond()).isTrue();
    tiny.awaitRequests(2);
    assertThat(metrics())
        .containsEntry("sortie_texts_total{finish=\"cancelled\"}", 2.0)
        .containsEntry(
            "sortie_prompt_tokens_total", (double) tiny.model.tokenizer().encode("The fox").length);
  }

  @Test
  void theLogHasEveryRequestAndNoWordOfIt() throws InterruptedException {
    RawClient.Answer answer =
        tiny.post(TEXT, "{\"prompt\":\"a secret\",\"max_tokens\":3,\"user\":\"secret\"}");
    tiny.awaitRequests(1); // a line comes when the answer was sent
    RawClient.get(tiny.port(), "/health?secret=1");
    tiny.awaitRequests(2);
    List<String> lines = tiny.log;
    assertThat(lines).hasSize(2).noneMatch(line -> line.contains("secret"));
    JsonObject line = Json.parse("log", lines.getFirst(), JsonLimits.DATA);
    assertThat(line.fields())
        .containsEntry("method", "POST")
        .containsEntry("path", TEXT)
        .containsEntry("status", 200L)
        .containsEntry("left", false)
        .containsEntry("client", "127.0.0.1")
        .containsEntry("id", answer.headers().get("X-Request-Id"));
    assertThat(line.getDouble("seconds", 0, 60)).isPositive();
  }

  /** More are asked for than run at once; the server is told to stop; all are answered. */
  @Test
  void toldToStopItSendsAllAnswersAndTakesNoMore() throws Exception {
    List<Future<RawClient.Answer>> answers = new ArrayList<>();
    try (RawClient late = new RawClient(tiny.port());
        ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      late.ask(TEXT, "{\"prompt\":\"a\",\"max_tokens\":1}");
      assertThat(late.read().status()).isEqualTo(200);
      for (int i = 0; i < 14; i++) {
        String json =
            "{\"prompt\":\"The fox\",\"max_tokens\":150,\"ignore_eos\":true,\"stream\":%s}"
                .formatted(i % 2 == 0);
        answers.add(clients.submit(() -> tiny.post(TEXT, json)));
      }
      while (tiny.engine.load().running() + tiny.engine.waiting() < 14) {
        Thread.sleep(2);
      }
      Future<Boolean> stopped = clients.submit(() -> tiny.server().stop(Duration.ofSeconds(60)));
      for (int i = 0; i < 14; i++) {
        RawClient.Answer answer = answers.get(i).get();
        assertThat(answer.status()).isEqualTo(200);
        if (i % 2 == 0) {
          assertThat(answer.body()).contains("\"finish_reason\":\"length\"").endsWith("[DONE]\n\n");
        } else {
          assertThat(answer.json().getObject("usage").fields())
              .containsEntry("completion_tokens", 150L);
        }
      }
      assertThat(stopped.get()).isTrue();
      assertThat(late.isEnded()).isTrue();
    }
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }

  /** A stream has begun with status 200 when its time is over. */
  @Test
  void answersThatTakeTooLongAreCountedByText() throws InterruptedException {
    tiny.close();
    tiny = TinyServer.withTimeout(folder, Duration.ofMillis(300));
    String json =
        "{\"prompt\":\"a\",\"n\":2,\"max_tokens\":15000,\"ignore_eos\":true,\"stream\":%s}";
    RawClient.Answer streamed = tiny.post(TEXT, json.formatted(true));
    assertThat(streamed.status()).isEqualTo(200);
    assertThat(streamed.body()).contains("\"code\":\"timeout\"");
    assertThat(tiny.post(TEXT, json.formatted(false)).status()).isEqualTo(504);
    assertThat(metrics()).containsEntry("sortie_texts_total{finish=\"timeout\"}", 4.0);
  }

  /** As nginx logs it. */
  @Test
  void aClientThatLeavesBeforeItsAnswerBeginsHasStatus499() throws InterruptedException {
    try (RawClient client = new RawClient(tiny.port())) {
      client.ask(TEXT, "{\"prompt\":\"a\",\"max_tokens\":15000,\"ignore_eos\":true}");
      Thread.sleep(100);
    }
    tiny.awaitRequests(1);
    assertThat(tiny.log).singleElement().asString().contains("\"status\":499", "\"left\":true");
    assertThat(metrics()).containsEntry("sortie_responses_total{status=\"499\"}", 1.0);
  }
}
