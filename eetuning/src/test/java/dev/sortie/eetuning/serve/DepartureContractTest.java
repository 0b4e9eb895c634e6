package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

  /** Clients that leave at random moments, among others whose texts must not change by a bit. */
  @Test
  @Tag("slow")
  void aHundredAtRandomMoments() throws Exception {
    String json =
        "{\"prompt\":\"The hen sat under\",\"max_tokens\":60,\"seed\":%d,\"stream\":%s,\"sortie\":{\"threshold\":0.05}}";
    Random random = new Random(1);
    List<Future<RawClient.Answer>> staying = new ArrayList<>();
    try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 100; i++) {
        int seed = i;
        if (i % 10 == 0) {
          staying.add(
              clients.submit(
                  () -> tiny.post("/v1/completions", json.formatted(seed, seed % 20 == 0))));
        }
        boolean stream = random.nextBoolean();
        int millis = random.nextInt(400);
        boolean prompt = random.nextInt(3) == 0;
        clients.submit(
            () -> {
              RawClient client =
                  asks(
                      prompt
                          ? "{\"prompt\":\"%s\",\"stream\":%s}"
                              .formatted("The fox. ".repeat(2000), stream)
                          : ENDLESS.formatted(stream));
              Thread.sleep(millis);
              client.vanish();
              return null;
            });
        Thread.sleep(random.nextInt(20));
      }
    }
    for (int i = 0; i < staying.size(); i++) {
      RawClient.Answer answer = staying.get(i).get();
      String expected =
          tiny.alone(
                  tiny.model.tokenizer().encode("The hen sat under"),
                  new MaxProbability(0.05),
                  new GenerateOptions(
                      60, new SamplingOptions(1, 0, 1, 0, 1, 10L * i), List.of(), false))
              .text();
      StringBuilder found = new StringBuilder();
      if (i % 2 == 0) {
        answer
            .events()
            .forEach(e -> e.getObjects("choices").forEach(c -> found.append(c.getString("text"))));
      } else {
        found.append(answer.json().getObjects("choices").getFirst().getString("text"));
      }
      assertThat(found).hasToString(expected);
    }
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }
}
