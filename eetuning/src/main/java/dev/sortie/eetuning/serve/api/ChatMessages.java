package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Messages of the API as chat templates see them. */
final class ChatMessages {
  private static final JsonLimits ARGUMENTS = new JsonLimits(1 << 20, 32, 1 << 20);

  private ChatMessages() {}

  /**
   * Messages in order. Parts of text become one text; arguments of a call, which are JSON in a
   * string, become an object, which templates write down again; {@code developer} is {@code
   * system}.
   *
   * @param param names them in errors
   */
  static List<ChatMessage> of(List<JsonObject> objects, String param) {
    List<ChatMessage> messages = new ArrayList<>();
    for (int i = 0; i < objects.size(); i++) {
      messages.add(message(objects.get(i), param + "[" + i + "]"));
    }
    return messages;
  }

  /** One message. */
  static ChatMessage message(JsonObject object, String param) {
    if (!(object.fields().get("role") instanceof String role) || role.isEmpty()) {
      throw ApiError.invalid(param + ".role", param + ".role is missing; give one such as user");
    }
    Map<String, Object> fields = new LinkedHashMap<>(object.fields());
    fields.put("role", role.equals("developer") ? "system" : role);
    Object content = object.fields().get("content");
    boolean calls = object.fields().get("tool_calls") instanceof List<?> list && !list.isEmpty();
    if (content == null && !calls) {
      throw ApiError.invalid(param + ".content", param + ".content is missing; give a text");
    }
    if (content != null) {
      fields.put("content", text(content, param + ".content"));
    }
    if (calls) {
      fields.put("tool_calls", calls((List<?>) object.fields().get("tool_calls"), param));
    }
    return new ChatMessage(fields);
  }

  /** The text of a content: a text, or parts of it. */
  static String text(Object content, String param) {
    return switch (content) {
      case String s -> s;
      case List<?> parts -> {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
          text.append(part(parts.get(i), param + "[" + i + "]"));
        }
        yield text.toString();
      }
      default ->
          throw ApiError.invalid(
              param, param + " is " + Json.shown(content) + ", expected a text or a list of parts");
    };
  }

  private static String part(Object part, String param) {
    if (part instanceof JsonObject o && o.fields().get("type") instanceof String type) {
      if (!List.of("text", "input_text", "output_text").contains(type)) {
        throw ApiError.unsupported(
            param + ".type", param + ".type '" + type + "' is not supported; the model reads text");
      }
      if (o.fields().get("text") instanceof String text) {
        return text;
      }
    }
    throw ApiError.invalid(param, param + " is no part of the form {\"type\":\"text\",\"text\":…}");
  }

  private static List<Object> calls(List<?> calls, String param) {
    List<Object> mapped = new ArrayList<>();
    for (Object call : calls) {
      if (!(call instanceof JsonObject o
          && o.fields().get("function") instanceof JsonObject function)) {
        throw ApiError.invalid(
            param + ".tool_calls", param + ".tool_calls: each must be an object with a function");
      }
      Map<String, Object> inner = new LinkedHashMap<>(function.fields());
      if (inner.get("arguments") instanceof String arguments) {
        inner.put("arguments", arguments(arguments, param));
      }
      Map<String, Object> outer = new LinkedHashMap<>(o.fields());
      outer.put("function", inner);
      mapped.add(outer);
    }
    return mapped;
  }

  /** Arguments of a call as an object. */
  static Object arguments(String json, String param) {
    try {
      return json.isBlank() ? Map.of() : Json.parseRepeating("arguments", json, ARGUMENTS);
    } catch (InputException e) {
      throw ApiError.invalid(param + ".tool_calls", param + ".tool_calls: " + e.getMessage());
    }
  }
}
