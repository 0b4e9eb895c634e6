package dev.sortie.nn.text.chat;

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

/** The files next to the tests, made by {@code make_fixtures.py}. */
final class ChatFixtures {
  private ChatFixtures() {}

  static String text(String file) {
    try (InputStream in = ChatFixtures.class.getResourceAsStream(file)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonObject parse(String json) {
    return Json.parse("fixture", json, JsonLimits.DATA);
  }

  static JsonObject object(String file) {
    return parse(text(file));
  }

  static List<JsonObject> objects(String file) {
    return parse("{\"list\":" + text(file) + "}").getObjects("list");
  }

  static Map<String, String> strings(JsonObject object) {
    Map<String, String> strings = new LinkedHashMap<>();
    object.fields().keySet().forEach(name -> strings.put(name, object.getString(name)));
    return strings;
  }
}
