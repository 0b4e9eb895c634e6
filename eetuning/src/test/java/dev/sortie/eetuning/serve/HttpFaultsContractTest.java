package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.serve.api.ApiKeys;
import dev.sortie.eetuning.serve.engine.EngineSettings;
import dev.sortie.eetuning.serve.http.HttpLimits;
import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is no proper request gets the right status, and nobody else notices. */
@Tag("any-kernels")
@Tag("slow")
class HttpFaultsContractTest {
  private static final HttpLimits LIMITS = new HttpLimits(20, 2048, 4096, 1, 2, 1);
  private static final String KEY = "a-secret-key";

  @TempDir private static Path folder;

  private static TinyServer tiny;

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    Path keys =
        Files.writeString(folder.resolve("keys"), "# ours\n\nother-secret\n " + KEY + " \n");
    tiny = new TinyServer(folder, new EngineSettings(1, 1, 30_000), LIMITS, ApiKeys.read(keys));
  }

  @AfterAll
  static void stop() {
    tiny.close();
  }

  @AfterEach
  void othersAreAnswered() {
    RawClient.Answer answer =
        tiny.post(
            "/v1/completions",
            "{\"prompt\":\"The hen\",\"max_tokens\":3}",
            "Authorization: bearer " + KEY);
    assertThat(answer.status()).isEqualTo(200);
  }

  private static RawClient.Answer send(String request) {
    try (RawClient client = new RawClient(tiny.port())) {
      client.write(request.replaceFirst(" HTTP/1.1\r\n", " HTTP/1.1\r\nHost: localhost\r\n"));
      RawClient.Answer answer = client.read();
      assertThat(answer.error().getString("message")).isNotEmpty();
      assertThat(client.isEnded()).isTrue();
      return answer;
    }
  }

  @Test
  void aRequestWithoutAHostAndABodyThatIsCompressed() {
    try (RawClient client = new RawClient(tiny.port())) {
      client.write("GET /health HTTP/1.1\r\n\r\n");
      assertThat(client.read().error().getString("message")).contains("no Host");
    }
    RawClient.Answer compressed =
        send("POST /tokenize HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n");
    assertThat(compressed.status()).isEqualTo(415);
    assertThat(compressed.error().getString("message")).contains("gzip", "send it plain");
  }

  @Test
  void tooLargeHeadersAndBodies() {
    assertThat(send("GET /" + "a".repeat(3000) + " HTTP/1.1\r\n\r\n").status()).isEqualTo(414);
    assertThat(send("GET / HTTP/1.1\r\nX: " + "a".repeat(3000) + "\r\n\r\n").status())
        .isEqualTo(431);
    assertThat(send("GET / HTTP/1.1\r\n" + "X: a\r\n".repeat(3000) + "\r\n").status())
        .isEqualTo(431);
    String post = "POST /v1/completions HTTP/1.1\r\n";
    assertThat(send(post + "Content-Length: 5000\r\n\r\n").status()).isEqualTo(413);
    assertThat(
            send(post + "Transfer-Encoding: chunked\r\n\r\n1400\r\n" + "a".repeat(0x1400) + "\r\n")
                .status())
        .isEqualTo(413);
    assertThat(send(post + "Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n").status())
        .isEqualTo(413);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HELLO\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /%zz HTTP/1.1\r\n\r\n",
      })
  void malformedRequests(String request) {
    assertThat(send(request).status()).isEqualTo(400);
  }

  @Test
  void aBodyThatIsNoUtf8() {
    try (RawClient client = new RawClient(tiny.port())) {
      client.write(
          "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: "
              + KEY
              + "\r\nContent-Length: 14\r\n\r\n");
      client.write("{\"prompt\":\"".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      client.write(new byte[] {(byte) 0xff, '"', '}'});
      RawClient.Answer answer = client.read();
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.error().getString("message")).contains("UTF-8");
    }
    RawClient.Answer surrogate =
        tiny.post("/v1/completions", "{\"prompt\":\"\\ud800\"}", "X-Api-Key: " + KEY);
    assertThat(surrogate.status()).isEqualTo(400);
    assertThat(surrogate.error().getString("message")).contains("surrogate");
  }

  @Test
  void aRequestThatDripsAndAConnectionWithoutOne() throws InterruptedException {
    try (RawClient slow = new RawClient(tiny.port());
        RawClient silent = new RawClient(tiny.port())) {
      slow.write("POST /v1/completions HTTP/1.1\r\n");
      for (int i = 0; i < 8; i++) {
        slow.write("X: " + i + "\r\n");
        Thread.sleep(100);
      }
      assertThat(slow.head().status()).isEqualTo(408);
      assertThat(slow.isEnded()).isTrue();
      assertThat(silent.isEnded()).isTrue();
    }
  }

  @Test
  void tooManyConnections() {
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < LIMITS.connections(); i++) {
      clients.add(new RawClient(tiny.port()));
    }
    try (RawClient more = new RawClient(tiny.port())) {
      assertThat(more.isEnded()).isTrue();
      assertThat(clients.getFirst().isEnded()).isTrue(); // idle for two seconds, and not at once
    }
    clients.forEach(RawClient::close);
  }

  @Test
  void requestsBehindEachOther() {
    try (RawClient client = new RawClient(tiny.port())) {
      for (int i = 0; i < 3; i++) {
        client.ask(
            "/v1/completions",
            "{\"prompt\":\"The hen\",\"max_tokens\":%d,\"ignore_eos\":true}".formatted(9 - i),
            "X-Api-Key: " + KEY);
      }
      for (int i = 0; i < 3; i++) {
        assertThat(client.read().json().getObject("usage").getInt("completion_tokens", 0, 9))
            .isEqualTo(9 - i);
      }
    }
  }

  /** One is being answered and four wait; what comes before a refusal is answered. */
  @ParameterizedTest
  @CsvSource({"7, 5, 429", "1, 1, 400"})
  void whatIsRefusedBehindOthersIsToldBehindTheirAnswers(int sent, int answered, int status) {
    String json = "{\"prompt\":\"The hen\",\"max_tokens\":300,\"ignore_eos\":true}";
    String request =
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: %s\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(KEY, json.length(), json);
    try (RawClient client = new RawClient(tiny.port())) {
      client.write(request.repeat(sent) + "no HTTP\r\n\r\n");
      for (int i = 0; i < answered; i++) {
        assertThat(client.read().status()).isEqualTo(200);
      }
      RawClient.Answer refusal = client.read();
      assertThat(refusal.status()).isEqualTo(status);
      assertThat(client.isEnded()).isTrue();
      assertThat(tiny.log)
          .filteredOn(line -> line.contains(refusal.headers().get("X-Request-Id")))
          .singleElement()
          .asString()
          .contains("\"path\":null", "\"status\":" + status);
    }
  }

  /** Its place is free within a second, although nothing of it is read any more. */
  @Test
  void aClientThatLeavesBehindARefusalIsSeen() throws InterruptedException {
    String json = "{\"prompt\":\"a\",\"max_tokens\":9000,\"ignore_eos\":true,\"stream\":true}";
    RawClient client = new RawClient(tiny.port());
    client.ask("/v1/completions", json, "X-Api-Key: " + KEY);
    assertThat(client.head().status()).isEqualTo(200);
    client.write("no HTTP\r\n\r\n");
    client.line();
    client.close();
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }

  @Test
  void keys() {
    String json = "{\"prompt\":\"a\",\"max_tokens\":1}";
    assertThat(tiny.post("/v1/completions", json).status()).isEqualTo(401);
    RawClient.Answer wrong =
        tiny.post("/v1/completions", json, "Authorization: Bearer " + KEY + "x");
    assertThat(wrong.status()).isEqualTo(401);
    assertThat(wrong.error().getString("code")).isEqualTo("invalid_api_key");
    assertThat(wrong.headers()).containsEntry("WWW-Authenticate", "Bearer");
    assertThat(tiny.post("/v1/completions", json, "X-Api-Key: other-secret").status())
        .isEqualTo(200);
    assertThat(RawClient.get(tiny.port(), "/health").status()).isEqualTo(200);
    assertThat(RawClient.get(tiny.port(), "/v1/models").status()).isEqualTo(401);
  }

  @Test
  void filesOfKeys() throws IOException {
    Path empty = Files.writeString(folder.resolve("empty"), "# none\n");
    assertThatThrownBy(() -> ApiKeys.read(empty))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("no key");
    Path brief = Files.writeString(folder.resolve("brief"), "secret-enough\nshort\n");
    assertThatThrownBy(() -> ApiKeys.read(brief))
        .isInstanceOf(InputException.class)
        .hasMessageContainingAll("line 2", "5");
  }

  @Test
  void tooManyRequestsAreToldWhenToComeAgain() throws InterruptedException {
    String endless = "{\"prompt\":\"a\",\"max_tokens\":9000,\"ignore_eos\":true,\"stream\":true}";
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      RawClient client = new RawClient(tiny.port());
      client.ask("/v1/completions", endless, "X-Api-Key: " + KEY);
      assertThat(client.head().status()).isEqualTo(200);
      clients.add(client);
    }
    RawClient.Answer third = tiny.post("/v1/completions", endless, "X-Api-Key: " + KEY);
    assertThat(third.status()).isEqualTo(429);
    assertThat(Integer.parseInt(third.headers().get("Retry-After"))).isBetween(1, 60);
    assertThat(third.error().getString("code")).isEqualTo("rate_limit_exceeded");
    clients.forEach(RawClient::close);
    assertThat(tiny.isIdleWithinASecond()).isTrue();
  }
}
