package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.nn.json.Json;
import java.time.Instant;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A line of JSON for each request: who, what, how it ended, how long it took. No word of a prompt
 * or an answer, and no query.
 */
public final class AccessLog {
  /** Logs nothing. */
  public static final AccessLog NONE = new AccessLog(line -> {});

  private final Consumer<String> lines;

  /**
   * A log.
   *
   * @param lines takes each line, without its end; from many threads
   */
  public AccessLog(Consumer<String> lines) {
    this.lines = lines;
  }

  void add(HttpExchange exchange, int status, String client, double seconds) {
    Map<String, Object> line = line(exchange.id(), client, exchange.method(), exchange.path());
    line.put("status", status);
    line.put("left", exchange.isGone());
    line.put("seconds", seconds);
    lines.accept(Json.compact(line));
  }

  /** What was refused before it was a request: of its method and path nothing is certain. */
  void add(String id, String client, int status) {
    Map<String, Object> line = line(id, client, null, null);
    line.put("status", status);
    line.put("left", false);
    line.put("seconds", null);
    lines.accept(Json.compact(line));
  }

  private static Map<String, Object> line(String id, String client, String method, String path) {
    return Json.object(
        "time",
        Instant.now().toString(),
        "id",
        id,
        "client",
        client,
        "method",
        method,
        "path",
        path);
  }
}
