package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import dev.sortie.nn.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Answers that are one JSON object. */
final class JsonAnswer {
  private JsonAnswer() {}

  static void send(HttpExchange exchange, int status, Map<String, Object> json) {
    exchange.respond(status, Map.of("Content-Type", "application/json"), bytes(json));
  }

  static void send(HttpExchange exchange, ApiError error) {
    Map<String, String> headers = new LinkedHashMap<>(error.headers());
    headers.put("Content-Type", "application/json");
    exchange.respond(error.status(), headers, bytes(error.json()));
  }

  static byte[] bytes(Map<String, Object> json) {
    return Json.compact(json).getBytes(StandardCharsets.UTF_8);
  }
}
