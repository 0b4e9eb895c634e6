package dev.sortie.eetuning.serve;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Requests in the forms that HTTP has for proxies, probes and older clients (RFC 9110, 9112). */
@Tag("any-kernels")
class HttpVersionsContractTest extends ServedContract {
  private static final String STREAM = "{\"prompt\":\"The hen\",\"max_tokens\":3,\"stream\":true}";

  private static RawClient.Answer head(RawClient client, String request) {
    client.write(request);
    return client.head();
  }

  /** Which knows no chunks: the end of the connection is that of the body. */
  @Test
  void aStreamForHttp10IsNotInChunks() {
    try (RawClient client = new RawClient(tiny.port())) {
      RawClient.Answer head =
          head(
              client,
              "POST /v1/completions HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s"
                  .formatted(STREAM.length(), STREAM));
      assertThat(head.status()).isEqualTo(200);
      assertThat(head.headers())
          .doesNotContainKey("Transfer-Encoding")
          .containsEntry("Connection", "close");
      assertThat(client.line()).startsWith("data: {");
      assertThat(client.isEnded()).isTrue();
    }
  }

  @Test
  void aConnectionOfHttp10IsKeptWhereTheAnswerSaysSo() {
    try (RawClient client = new RawClient(tiny.port())) {
      client.write("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      assertThat(client.read().headers()).containsEntry("Connection", "keep-alive");
      client.write("GET /health HTTP/1.0\r\n\r\n");
      assertThat(client.read().status()).isEqualTo(200);
      assertThat(client.isEnded()).isTrue();
    }
  }

  @Test
  void headIsGetWithoutTheBody() {
    for (String path : new String[] {"/health", "/v1/models", "/", "/metrics"}) {
      try (RawClient client = new RawClient(tiny.port())) {
        String rest = path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        RawClient.Answer head = head(client, "HEAD " + rest);
        assertThat(head.status()).as(path).isEqualTo(200);
        assertThat(Integer.parseInt(head.headers().get("Content-Length"))).isPositive();
        client.write("GET " + rest); // its status line comes next
        assertThat(client.read().status()).isEqualTo(200);
      }
    }
    try (RawClient client = new RawClient(tiny.port())) {
      RawClient.Answer head =
          head(client, "HEAD /v1/completions HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(head.status()).isEqualTo(405);
      assertThat(head.headers()).containsEntry("Allow", "POST");
    }
  }

  @Test
  void aWholeUrlHasThePathOfTheRequest() {
    try (RawClient client = new RawClient(tiny.port())) {
      client.write("GET http://localhost/v1/models?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n");
      assertThat(client.read().json().getString("object")).isEqualTo("list");
    }
  }
}
