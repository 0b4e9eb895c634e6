package dev.sortie.nn.text.chat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One message of a conversation, as chat templates see it.
 *
 * @param fields {@code role}, {@code content} and whatever else a template may read, such as {@code
 *     tool_calls}: strings, booleans, numbers, null, lists and maps
 */
public record ChatMessage(Map<String, Object> fields) {

  /** Keeps a copy, in order. */
  public ChatMessage {
    fields = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    if (!(fields.get("role") instanceof String role) || role.isEmpty()) {
      throw new InputException("a message has no role; give one, such as \"user\"");
    }
  }

  /** A message of text. */
  public static ChatMessage of(String role, String content) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("role", role);
    fields.put("content", content);
    return new ChatMessage(fields);
  }

  /** Who speaks. */
  public String role() {
    return (String) fields.get("role");
  }

  /**
   * The messages of a JSON file, or of what {@link NamedInput} reads: a list of objects with {@code
   * role} and {@code content}.
   *
   * @throws InputException naming the file, the message and the field that is wrong
   */
  public static List<ChatMessage> read(Path file) {
    List<JsonObject> objects = Json.readObjects(file, JsonLimits.DATA);
    if (objects.isEmpty()) {
      throw new InputException(
          NamedInput.name(file) + ": the list of messages is empty; give at least one");
    }
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonObject object : objects) {
      messages.add(of(object));
    }
    return List.copyOf(messages);
  }

  private static ChatMessage of(JsonObject object) {
    if (object.getString("role").isEmpty()) {
      throw object.error("role", "a word such as \"user\" or \"assistant\"");
    }
    boolean calls = object.fields().get("tool_calls") instanceof List<?> list && !list.isEmpty();
    Object content = object.fields().get("content");
    boolean absent = content == null && calls;
    if (!(content instanceof String || content instanceof List || absent)) {
      throw object.error("content", "a string, or a list of parts");
    }
    return new ChatMessage(PlainData.map(object));
  }
}
