package dev.sortie.benchmarks.serve;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A text that a server streamed. Clients share the machine with the server, so they do little while
 * it answers: a thread blocks in a read, and events are kept as they came until somebody asks what
 * is in them. (With {@code java.net.http.HttpClient}, an event passes through three threads.)
 */
final class StreamedText {
  private static final int OK = 200;

  /** Silence after which a server counts as stuck. */
  private static final int SILENCE_MILLIS = 60_000;

  private static final String DATA = "data: ";
  private static final String END = "data: [DONE]";

  private final List<String> events;
  private final double firstSeconds;

  private StreamedText(List<String> events, double firstSeconds) {
    this.events = events;
    this.firstSeconds = firstSeconds;
  }

  /**
   * Asks {@code /v1/completions} and reads to the end.
   *
   * @throws IOException if there is no complete answer
   */
  static StreamedText ask(URI server, StreamedRequest request) throws IOException {
    byte[] body = Json.compact(request.json()).getBytes(StandardCharsets.UTF_8);
    long start = System.nanoTime();
    HttpURLConnection post =
        (HttpURLConnection) server.resolve("/v1/completions").toURL().openConnection();
    post.setRequestMethod("POST");
    post.setRequestProperty("Content-Type", "application/json");
    post.setDoOutput(true);
    post.setFixedLengthStreamingMode(body.length);
    post.setReadTimeout(SILENCE_MILLIS);
    try (OutputStream out = post.getOutputStream()) {
      out.write(body);
    }
    int status = post.getResponseCode();
    try (InputStream in = status < 400 ? post.getInputStream() : post.getErrorStream();
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      if (status != OK) {
        throw new IOException("status " + status + ": " + lines.readAllAsString());
      }
      return read(lines, start);
    }
  }

  private static StreamedText read(BufferedReader lines, long start) throws IOException {
    List<String> events = new ArrayList<>();
    double first = 0;
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.equals(END)) {
        lines.readAllAsString(); // left unread, the connection could not be used again
        return new StreamedText(events, first);
      }
      if (line.startsWith(DATA)) {
        events.add(line);
        if (first == 0 && !text(event(line)).isEmpty()) {
          first = (System.nanoTime() - start) * 1e-9;
        }
      }
    }
    throw new IOException("the stream ended before " + END);
  }

  private static JsonObject event(String line) {
    JsonObject event = Json.parse("event", line.substring(DATA.length()), JsonLimits.DATA);
    if (event.has("error")) {
      throw new IllegalStateException("the server sent " + line);
    }
    return event;
  }

  private static String text(JsonObject event) {
    StringBuilder text = new StringBuilder();
    event.getObjects("choices").forEach(choice -> text.append(choice.getString("text")));
    return text.toString();
  }

  /** Seconds from the request to the first event with text; 0 if none came. */
  double firstSeconds() {
    return firstSeconds;
  }

  /**
   * All of it.
   *
   * @throws IllegalStateException if an event says that generating failed
   */
  String text() {
    return events.stream().map(line -> text(event(line))).collect(Collectors.joining());
  }

  /**
   * Tokens as the server counted them.
   *
   * @throws IllegalStateException if it did not, or if an event says that generating failed
   */
  int tokens() {
    return events.stream()
        .map(StreamedText::event)
        .flatMap(event -> event.optional("usage", event::getObject).stream())
        .mapToInt(usage -> usage.getInt("completion_tokens", 0, Integer.MAX_VALUE))
        .reduce((_, last) -> last)
        .orElseThrow(() -> new IllegalStateException("the stream has no usage"));
  }
}
