package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.nn.json.Json;
import java.time.Instant;
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

  void add(HttpExchange exchange, String client, double seconds) {
    lines.accept(
        Json.compact(
            Json.object(
                "time",
                Instant.now().toString(),
                "id",
                exchange.id(),
                "client",
                client,
                "method",
                exchange.method(),
                "path",
                exchange.path(),
                "status",
                exchange.status(),
                "left",
                exchange.isGone(),
                "seconds",
                seconds)));
  }
}
