package dev.sortie.benchmarks.serve;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.stream.Stream;

/**
 * A text that a server streamed.
 *
 * @param text all of it
 * @param tokens as the server counted them
 * @param firstSeconds from the request to the first event with text
 */
public record StreamedText(String text, int tokens, double firstSeconds) {
  private static final int OK = 200;
  private static final String DATA = "data: ";
  private static final String END = "data: [DONE]";

  /**
   * Asks {@code /v1/completions} and reads to the end.
   *
   * @throws IOException if there is no complete answer
   */
  static StreamedText ask(HttpClient http, URI server, StreamedRequest request)
      throws IOException, InterruptedException {
    HttpRequest post =
        HttpRequest.newBuilder(server.resolve("/v1/completions"))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(Json.compact(request.json())))
            .build();
    long start = System.nanoTime();
    HttpResponse<Stream<String>> response = http.send(post, BodyHandlers.ofLines());
    try (Stream<String> lines = response.body()) {
      if (response.statusCode() != OK) {
        throw new IOException("status " + response.statusCode() + ": " + lines.toList());
      }
      return read(lines.iterator(), start);
    }
  }

  private static StreamedText read(Iterator<String> lines, long start) throws IOException {
    StringBuilder text = new StringBuilder();
    double first = 0;
    int tokens = -1;
    while (lines.hasNext()) {
      String line = lines.next();
      if (line.equals(END)) {
        if (tokens < 0) {
          throw new IOException("the stream has no usage");
        }
        lines.forEachRemaining(_ -> {}); // left unread, the connection could not be used again
        return new StreamedText(text.toString(), tokens, first);
      }
      if (!line.startsWith(DATA)) {
        continue;
      }
      JsonObject event = Json.parse("event", line.substring(DATA.length()), JsonLimits.DATA);
      if (event.has("error")) {
        throw new IOException(line);
      }
      String more = more(event);
      if (first == 0 && !more.isEmpty()) {
        first = (System.nanoTime() - start) * 1e-9;
      }
      text.append(more);
      tokens =
          event
              .optional("usage", event::getObject)
              .map(u -> u.getInt("completion_tokens", 0, Integer.MAX_VALUE))
              .orElse(tokens);
    }
    throw new IOException("the stream ended before " + END);
  }

  private static String more(JsonObject event) {
    StringBuilder text = new StringBuilder();
    event.getObjects("choices").forEach(choice -> text.append(choice.getString("text")));
    return text.toString();
  }
}
