package dev.sortie.nn.hub;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * Requests to the hub. Redirections are followed here and not by the HTTP client, since the token
 * must not follow them to another host.
 */
final class HubClient implements AutoCloseable {
  private static final int MAX_REDIRECTS = 5;
  private static final String USER_AGENT = "sortie/0.1";

  private final HubSettings settings;
  private final HttpClient http;
  private boolean reached;

  HubClient(HubSettings settings) {
    this.settings = settings;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.retry().silence())
            .build();
  }

  /** What the hub knows of a path below the endpoint. */
  URI uri(String path) {
    return URI.create(settings.endpoint() + path);
  }

  /**
   * Sends a request and follows where it is sent. A {@code HEAD} stops at the border of the hub,
   * for what lies beyond does not know the hub's headers.
   *
   * @throws TransientException if there is hope in a second try
   */
  HubAnswer send(String method, URI start, Map<String, String> headers) throws TransientException {
    List<HttpHeaders> hops = new ArrayList<>();
    URI uri = start;
    while (true) {
      HttpResponse<TimedBody> response = exchange(method, uri, headers);
      hops.add(response.headers());
      HubAnswer answer = new HubAnswer(response.statusCode(), uri, hops, response.body());
      if (!answer.isRedirect()) {
        return answer;
      }
      URI next = target(answer);
      if (method.equals("HEAD") && !isHub(next)) {
        return answer;
      }
      answer.close();
      if (hops.size() > MAX_REDIRECTS) {
        throw new InputException(
            "%s: sends on more than %d times; check HF_ENDPOINT"
                .formatted(plain(start), MAX_REDIRECTS));
      }
      uri = next;
    }
  }

  /** Whether the token may go there: same scheme, host and port as the endpoint. */
  private boolean isHub(URI uri) {
    URI hub = settings.endpoint();
    return uri.getScheme().equalsIgnoreCase(hub.getScheme())
        && uri.getHost().equalsIgnoreCase(hub.getHost())
        && port(uri) == port(hub);
  }

  private static int port(URI uri) {
    return uri.getPort() >= 0
        ? uri.getPort()
        : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
  }

  private URI target(HubAnswer answer) {
    String location = answer.header("location").orElse("");
    try {
      URI next = answer.uri().resolve(URI.create(location));
      boolean secure = "https".equalsIgnoreCase(next.getScheme());
      boolean open =
          "http".equalsIgnoreCase(next.getScheme())
              && !"https".equalsIgnoreCase(answer.uri().getScheme());
      if (!location.isEmpty() && next.getHost() != null && (secure || open)) {
        return next;
      }
    } catch (IllegalArgumentException e) {
      // no URL at all: the same complaint
    }
    answer.close();
    throw new InputException(
        "%s: sends on to %s; expected a URL%s"
            .formatted(
                plain(answer.uri()),
                Printable.value(location),
                "https".equalsIgnoreCase(answer.uri().getScheme()) ? " with https" : ""));
  }

  private HttpResponse<TimedBody> exchange(String method, URI uri, Map<String, String> headers)
      throws TransientException {
    Duration silence = settings.retry().silence();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .method(method, HttpRequest.BodyPublishers.noBody())
            .timeout(silence)
            .setHeader("User-Agent", USER_AGENT)
            .setHeader("Accept-Encoding", "identity");
    headers.forEach(request::setHeader);
    if (isHub(uri)) {
      settings.token().ifPresent(t -> request.setHeader("Authorization", t.authorization()));
    }
    try {
      HttpResponse<TimedBody> response =
          http.send(request.build(), info -> new TimedBody(settings.retry()));
      reached = true;
      return response;
    } catch (SSLException e) {
      throw new InputException(
          "%s: no secure connection: %s; check the clock, the proxy and the certificates of this Java"
              .formatted(plain(uri), reason(e)),
          e);
    } catch (IOException e) {
      if (!reached && isConnecting(e)) {
        throw new InputException(
            "%s cannot be reached (%s); check the network and HF_ENDPOINT. What the cache holds is used without it"
                .formatted(settings.endpoint(), reason(e)),
            e);
      }
      throw new TransientException(
          "no answer from " + uri.getHost() + " (" + reason(e) + ")", Optional.empty(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InputException(plain(uri) + ": interrupted", e);
    }
  }

  private static boolean isConnecting(IOException e) {
    return e instanceof ConnectException || e instanceof HttpConnectTimeoutException;
  }

  /** A URL for messages; the query of a signed one would be long and secret. */
  static String plain(URI uri) {
    return Printable.line(uri.getScheme() + "://" + uri.getRawAuthority() + uri.getRawPath());
  }

  /** A network failure in a few words: Java's own texts for unknown hosts are empty. */
  static String reason(Throwable e) {
    for (Throwable t = e; t != null; t = t.getCause()) {
      if (t instanceof UnresolvedAddressException) {
        return "unknown host";
      }
    }
    return Printable.line(e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
  }

  @Override
  public void close() {
    http.shutdownNow();
    http.close();
  }
}
