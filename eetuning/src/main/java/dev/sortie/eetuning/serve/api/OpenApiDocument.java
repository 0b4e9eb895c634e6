package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code /openapi.json}: all endpoints, their fields and their answers, for tools. The text travels
 * in the jar; three of its schemas say what only the served model knows.
 */
final class OpenApiDocument {
  private OpenApiDocument() {}

  static Map<String, Object> of(ServedModel served) {
    JsonObject document = Json.parse("openapi.json", text(), JsonLimits.DATA);
    JsonObject components = document.getObject("components");
    Map<String, Object> schemas = new LinkedHashMap<>(components.getObject("schemas").fields());
    narrow(schemas, "ModelName", "enum", List.of(served.name()));
    narrow(schemas, "TokenId", "maximum", served.vocab() - 1);
    narrow(schemas, "EmbeddingSize", "enum", List.of(served.model().config().decoder().hidden()));
    Map<String, Object> narrowed = new LinkedHashMap<>(components.fields());
    narrowed.put("schemas", schemas);
    Map<String, Object> all = new LinkedHashMap<>(document.fields());
    all.put("components", narrowed);
    return all;
  }

  private static void narrow(
      Map<String, Object> schemas, String name, String keyword, Object value) {
    Map<String, Object> schema = new LinkedHashMap<>(((JsonObject) schemas.get(name)).fields());
    schema.put(keyword, value);
    schemas.put(name, schema);
  }

  private static String text() {
    try (InputStream in = OpenApiDocument.class.getResourceAsStream("openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("openapi.json is missing: this build is incomplete");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("openapi.json cannot be read", e);
    }
  }
}
