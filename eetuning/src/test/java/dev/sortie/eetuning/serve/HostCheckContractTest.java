package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a page of another site can make a browser send to a server on loopback is refused. {@link
 * TinyServer} allows llm.example.com.
 */
@Tag("any-kernels")
class HostCheckContractTest extends ServedContract {
  private static RawClient.Answer ask(String method, String path, String headers) {
    try (RawClient client = new RawClient(tiny.port())) {
      client.write("%s %s HTTP/1.1\r\n%s\r\n".formatted(method, path, headers));
      return client.read();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "localhost",
        "LOCALHOST:8080",
        "localhost.",
        "sortie.localhost:1",
        "127.0.0.1:8080",
        "127.5.5.5",
        "[::1]:8080",
        "10.0.0.7", // an address is no name that anybody made resolve
        "llm.example.com",
        "LLM.example.com:443"
      })
  void itsOwnNamesAreTaken(String host) {
    assertThat(ask("GET", "/props", "Host: " + host + "\r\n").status()).isEqualTo(200);
    assertThat(ask("GET", "/props", "Host: %s\r\nOrigin: http://%1$s\r\n".formatted(host)).status())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evillocalhost",
        "example.com",
        "evil.llm.example.com",
        "localhost:8080:evil.example",
        "[evil.example]",
        "localhost@evil.example",
        ":8080"
      })
  void aNameThatWasMadeToResolveHereIsRefused(String host) {
    for (String path : new String[] {"/", "/page/app.js", "/props", "/health", "/metrics", "/no"}) {
      RawClient.Answer answer = ask("GET", path, "Host: " + host + "\r\n");
      assertThat(answer.status()).as(path).isEqualTo(403);
      assertThat(answer.error().getString("code")).isEqualTo("host_not_allowed");
      assertThat(answer.error().getString("message")).contains(host, "--allowed-host");
    }
  }

  /** A form or a script of another site needs no leave to send this. */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:8080, http://evil.example",
    "127.0.0.1:8080, http://203.0.113.5",
    "127.0.0.1:8080, http://127.0.0.1:3000",
    "127.0.0.1:8080, http://localhost:8080",
    "127.0.0.1:8080, http://127.0.0.1:8080.evil.example",
    "llm.example.com, https://example.com",
    "127.0.0.1:8080, null",
    "127.0.0.1:8080, file://",
    "127.0.0.1:8080, ''"
  })
  void aRequestOfAnotherSiteIsRefused(String host, String origin) {
    String body = "{\"prompt\":\"a\",\"max_tokens\":1}";
    String headers =
        "Host: %s\r\nOrigin: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(host, origin, body.length(), body);
    try (RawClient client = new RawClient(tiny.port())) {
      client.write("POST /v1/completions HTTP/1.1\r\n" + headers);
      RawClient.Answer answer = client.read();
      assertThat(answer.status()).isEqualTo(403);
      assertThat(answer.error().getString("message")).contains("Origin is '" + origin);
    }
  }

  /** A proxy that has the name may send its own address as the host. */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1:8080, https://llm.example.com",
    "127.0.0.1:8080, https://llm.example.com:8443",
    "llm.example.com, https://llm.example.com"
  })
  void thePageBehindAProxyIsTaken(String host, String origin) {
    assertThat(ask("GET", "/props", "Host: %s\r\nOrigin: %s\r\n".formatted(host, origin)).status())
        .isEqualTo(200);
  }
}
