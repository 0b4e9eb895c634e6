package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The input of {@code /v1/responses} as a conversation. */
final class ResponseInput {
  private ResponseInput() {}

  /**
   * Messages in order: a text is one of the user; calls of functions and what came of them are
   * messages of the assistant and of a tool.
   *
   * @param instructions the system's message, if there is one
   */
  static List<ChatMessage> of(RequestFields f, Optional<String> instructions) {
    List<ChatMessage> messages = new ArrayList<>();
    instructions.ifPresent(text -> messages.add(ChatMessage.of("system", text)));
    switch (f.raw("input")) {
      case String text -> messages.add(ChatMessage.of("user", text));
      case List<?> items when !items.isEmpty() -> {
        for (int i = 0; i < items.size(); i++) {
          messages.add(item(items.get(i), "input[" + i + "]"));
        }
      }
      case null -> throw f.missing("input", "a text or a list of items");
      default -> throw f.wrong("input", "a text or a list of items");
    }
    return messages;
  }

  private static ChatMessage item(Object item, String param) {
    if (!(item instanceof JsonObject o)) {
      throw ApiError.invalid(param, param + " is " + Json.shown(item) + ", expected an object");
    }
    Object type = o.fields().getOrDefault("type", "message");
    return switch (String.valueOf(type)) {
      case "message" -> ChatMessages.message(o, param);
      case "function_call" -> {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", text(o, "name", param));
        function.put("arguments", ChatMessages.arguments(text(o, "arguments", param), param));
        Map<String, Object> call =
            Json.object("id", text(o, "call_id", param), "type", "function", "function", function);
        yield new ChatMessage(Json.object("role", "assistant", "tool_calls", List.of(call)));
      }
      case "function_call_output" ->
          new ChatMessage(
              Json.object(
                  "role",
                  "tool",
                  "tool_call_id",
                  text(o, "call_id", param),
                  "content",
                  ChatMessages.text(o.fields().get("output"), param + ".output")));
      default ->
          throw ApiError.unsupported(
              param + ".type", param + ".type " + Json.shown(type) + " is not supported");
    };
  }

  private static String text(JsonObject o, String field, String param) {
    if (o.fields().get(field) instanceof String text) {
      return text;
    }
    throw ApiError.invalid(param + "." + field, param + "." + field + " is missing; give a text");
  }
}
