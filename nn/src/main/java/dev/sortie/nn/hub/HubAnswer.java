package dev.sortie.nn.hub;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An answer, after redirections.
 *
 * @param status of the last one
 * @param uri of the last request
 * @param hops headers of all answers, the last one last
 * @param body of the last answer
 */
record HubAnswer(int status, URI uri, List<HttpHeaders> hops, TimedBody body)
    implements AutoCloseable {

  /** A header of the last answer. */
  Optional<String> header(String name) {
    return hops.getLast().firstValue(name);
  }

  /** A header of the first answer that has it: what the hub says before it sends elsewhere. */
  Optional<String> firstHeader(String name) {
    return hops.stream().flatMap(h -> h.firstValue(name).stream()).findFirst();
  }

  /** {@code Content-Length} of the last answer. */
  OptionalLong length() {
    return number(header("content-length"));
  }

  static OptionalLong number(Optional<String> header) {
    return header.filter(v -> v.matches("\\d{1,18}")).stream()
        .mapToLong(Long::parseLong)
        .findFirst();
  }

  boolean isSuccess() {
    return status / 100 == 2;
  }

  boolean isRedirect() {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  @Override
  public void close() {
    body.close();
  }
}
