package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A message of {@code /v1/responses} while it is written. */
final class ResponseMessage {
  private final String id = AnswerIds.next("msg_");
  private final StringBuilder text = new StringBuilder();
  private final List<Map<String, Object>> logprobs = new ArrayList<>();

  String id() {
    return id;
  }

  void add(String more, List<Map<String, Object>> entries) {
    text.append(more);
    logprobs.addAll(entries);
  }

  String text() {
    return text.toString();
  }

  List<Map<String, Object>> logprobs() {
    return List.copyOf(logprobs);
  }

  /** The message as an item; without its text while it is being written. */
  Map<String, Object> item(String status) {
    return Json.object(
        "id",
        id,
        "type",
        "message",
        "status",
        status,
        "role",
        "assistant",
        "content",
        status.equals("in_progress") ? List.of() : List.of(part(text(), logprobs())));
  }

  /** Its only part. */
  static Map<String, Object> part(String text, List<Map<String, Object>> logprobs) {
    return Json.object(
        "type", "output_text", "text", text, "annotations", List.of(), "logprobs", logprobs);
  }
}
