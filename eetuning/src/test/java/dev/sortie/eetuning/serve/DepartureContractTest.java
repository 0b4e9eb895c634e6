package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A client that leaves takes its text with it within a second, wherever the text is, and nobody
 * else notices.
 */
@Tag("any-kernels")
class DepartureContractTest {
  private static final String ENDLESS =
      "{\"prompt\":\"The fox\",\"max_tokens\":15000,\"ignore_eos\":true,\"stream\":%s}";

  private static final String LONG =
      "{\"prompt\":\"%s\",\"max_tokens\":15000,\"ignore_eos\":true,\"stream\":%%s}"
          .formatted("The fox. ".repeat(2000));

  @TempDir private Path folder;

  private TinyServer tiny;

  @BeforeEach
  void start() throws InterruptedException {
    tiny =
        new TinyServer(
            folder,
            new EngineSettings(2, 200, 3 * TinyServer.CONTEXT),
            HttpLimits.DEFAULT,
            ApiKeys.none());
  }

  @AfterEach
  void stop() {
    tiny.close();
  }

  private RawClient asks(String json) {
    RawClient client = new RawClient(tiny.port());
    client.ask("/v1/completions", json);
    return client;
  }

  private void await(int running, int waiting) throws InterruptedException {
    for (int i = 0; i < 6000; i++) {
      if (tiny.engine.load().running() == running && tiny.engine.waiting() == waiting) {
        return;
      }
      Thread.sleep(5);
    }
    assertThat(tiny.engine.load().running()).isEqualTo(running);
    assertThat(tiny.engine.waiting()).isEqualTo(waiting);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whileItsTextIsWritten(boolean stream) throws InterruptedException {
    RawClient client = asks(ENDLESS.formatted(stream));
    await(1, 0);
    if (stream) {
      client.head();
      client.line();
    }
    client.close();
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whileItWaits(boolean stream) throws InterruptedException {
    try (RawClient first = asks(ENDLESS.formatted(true));
        RawClient second = asks(ENDLESS.formatted(true))) {
      await(2, 0);
      RawClient third = asks(ENDLESS.formatted(stream));
      await(2, 1);
      third.close();
      long start = System.nanoTime();
      await(2, 0);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
      assertThat(first.head().status()).isEqualTo(200);
      assertThat(second.head().status()).isEqualTo(200);
    }
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whileItsPromptIsRead(boolean stream) throws InterruptedException {
    String prompt = "The fox ran over the hill. ".repeat(1500);
    RawClient client =
        asks("{\"prompt\":\"%s\",\"max_tokens\":5,\"stream\":%s}".formatted(prompt, stream));
    await(1, 0);
    client.vanish();
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }

  /** More texts than can run, whose turn would come later. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whileManyTextsAreWritten(boolean stream) throws InterruptedException {
    String prompts = "[\"a\"" + ",\"The fox\"".repeat(500) + "]";
    RawClient client = asks(ENDLESS.replace("\"The fox\"", prompts).formatted(stream));
    await(2, 0);
    client.close();
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }

  @Test
  @Tag("slow")
  void oneWhoReadsNothingIsNotWaitedFor() throws InterruptedException {
    tiny.close();
    tiny =
        new TinyServer(
            folder,
            new EngineSettings(2, 200, 3 * TinyServer.CONTEXT),
            new HttpLimits(100, 16 << 10, 8 << 20, 30, 30, 1),
            ApiKeys.none());
    // with many probabilities, so that the answer does not fit into the buffers between
    try (RawClient client = new RawClient(tiny.port(), 4096)) {
      client.ask(
          "/v1/completions",
          "{\"prompt\":\"The fox\",\"max_tokens\":19000,\"ignore_eos\":true,\"stream\":true,\"logprobs\":20}");
      await(1, 0);
      RawClient.Answer other =
          tiny.post("/v1/completions", "{\"prompt\":\"The hen\",\"max_tokens\":5}");
      assertThat(other.status()).isEqualTo(200);
      await(0, 0);
      assertThat(client.isEnded()).isTrue();
    }
  }

  /** What a client is in the middle of when it leaves. */
  private enum Moment {
    STREAMING(ENDLESS.formatted(true)),
    WAITING_FOR_A_WHOLE_ANSWER(ENDLESS.formatted(false)),
    PROMPT_OF_A_STREAM(LONG.formatted(true)),
    PROMPT_OF_A_WHOLE_ANSWER(LONG.formatted(false));

    private final String json;

    Moment(String json) {
      this.json = json;
    }
  }

  /** A client that leaves: at once, or some time after it has read a token. */
  private void leave(Moment moment, String key, int millis, Map<String, Instant> left)
      throws InterruptedException {
    RawClient client = new RawClient(tiny.port());
    client.ask("/v1/completions", moment.json, key);
    if (moment == Moment.STREAMING && millis % 2 == 0) {
      assertThat(client.head().status()).isEqualTo(200);
      client.line();
    }
    Thread.sleep(millis);
    left.put("key " + key.substring(key.lastIndexOf('-') + 1), Instant.now());
    client.vanish();
  }

  /**
   * Clients that leave at random moments, queued or not, among others whose texts must not change
   * by a bit. A request ends in the log once its place is free.
   */
  @Test
  @Tag("slow")
  void aHundredAtRandomMoments() throws Exception {
    String json =
        "{\"prompt\":\"The hen sat under\",\"max_tokens\":60,\"seed\":%d,\"stream\":%s,\"sortie\":{\"threshold\":0.05}}";
    tiny.close();
    List<String> keys =
        IntStream.rangeClosed(1, 101).mapToObj("a-key-that-is-long-%d"::formatted).toList();
    tiny =
        new TinyServer(
            folder,
            new EngineSettings(2, 200, 3 * TinyServer.CONTEXT),
            HttpLimits.DEFAULT,
            ApiKeys.read(Files.write(folder.resolve("keys"), keys)));
    // what long prompts take is compiled before clocks run
    tiny.post(
        "/v1/completions",
        LONG.formatted(false).replace("15000", "1"),
        "X-Api-Key: " + keys.getLast());
    Random random = new Random(1);
    Map<String, Instant> left = new ConcurrentHashMap<>();
    List<Future<RawClient.Answer>> staying = new ArrayList<>();
    List<Future<?>> leaving = new ArrayList<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 100; i++) {
        int seed = i;
        if (i % 10 == 0) {
          staying.add(
              clients.submit(
                  () ->
                      tiny.post(
                          "/v1/completions",
                          json.formatted(seed, seed % 20 == 0),
                          "X-Api-Key: " + keys.getLast())));
        }
        Moment moment = Moment.values()[random.nextInt(Moment.values().length)];
        int millis = random.nextInt(400);
        leaving.add(
            clients.submit(
                () -> {
                  leave(moment, "X-Api-Key: " + keys.get(seed), millis, left);
                  return null;
                }));
        Thread.sleep(random.nextInt(20));
      }
    }
    for (Future<?> client : leaving) {
      client.get();
    }
    for (int i = 0; i < staying.size(); i++) {
      String expected =
          tiny.alone(
                  tiny.model.tokenizer().encode("The hen sat under"),
                  new MaxProbability(0.05),
                  new GenerateOptions(
                      60, new SamplingOptions(1, 0, 1, 0, 1, 10L * i), List.of(), false))
              .text();
      assertThat(text(staying.get(i).get(), i % 2 == 0)).isEqualTo(expected);
    }
    assertThat(tiny.isIdleWithinASecond()).isTrue();
    tiny.awaitRequests(111);
    assertThat(tiny.log).hasSize(111);
    for (String line : tiny.log) {
      JsonObject entry = Json.parse("log", line, JsonLimits.DATA);
      Instant departure = left.get(entry.getString("client"));
      assertThat(entry.getBoolean("left")).as(line).isEqualTo(departure != null);
      if (departure != null) {
        assertThat(Duration.between(departure, Instant.parse(entry.getString("time"))))
            .as(line)
            .isLessThan(Duration.ofSeconds(1));
      }
    }
  }

  private static String text(RawClient.Answer answer, boolean streamed) {
    List<JsonObject> parts = streamed ? answer.events() : List.of(answer.json());
    StringBuilder text = new StringBuilder();
    parts.forEach(e -> e.getObjects("choices").forEach(c -> text.append(c.getString("text"))));
    return text.toString();
  }
}
