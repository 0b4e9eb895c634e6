package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.serve.http.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** {@code /openapi.json}: all endpoints and their fields, for tools. It travels in the jar. */
final class OpenApiDocument {
  private OpenApiDocument() {}

  static void send(HttpExchange exchange) {
    try (InputStream in = OpenApiDocument.class.getResourceAsStream("openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("openapi.json is missing: this build is incomplete");
      }
      exchange.respond(200, Map.of("Content-Type", "application/json"), in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException("openapi.json cannot be read", e);
    }
  }
}
