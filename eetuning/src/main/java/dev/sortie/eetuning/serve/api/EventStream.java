package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.nn.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** An answer as server-sent events. */
final class EventStream {
  private final HttpExchange exchange;

  private EventStream(HttpExchange exchange) {
    this.exchange = exchange;
  }

  /** Begins such an answer. */
  static EventStream begin(HttpExchange exchange, Map<String, String> headers) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.put("Content-Type", "text/event-stream");
    all.put("Cache-Control", "no-cache");
    all.put("X-Accel-Buffering", "no"); // a proxy is to hand on each event as it comes
    exchange.begin(200, all);
    return new EventStream(exchange);
  }

  /**
   * Sends an event.
   *
   * @return whether the client is still there
   */
  boolean send(AnswerEvent event) {
    String name = event.name().map(n -> "event: " + n + "\n").orElse("");
    return write(name + "data: " + Json.compact(event.data()) + "\n\n");
  }

  /** Sends the word that ends the streams of some endpoints. */
  void done() {
    write("data: [DONE]\n\n");
  }

  /** Sends a comment, which keeps proxies from taking the connection for dead. */
  boolean ping() {
    return write(": waiting\n\n");
  }

  void end() {
    exchange.end();
  }

  private boolean write(String text) {
    return exchange.write(text.getBytes(StandardCharsets.UTF_8));
  }
}
