package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.decode.tool.ToolPiece;
import dev.sortie.nn.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** One choice of a chat: words, and calls where the model may call functions. */
final class ChatAnswer {
  private final CallReader reader;
  private int calls;

  /** Whether the text ended within the arguments of a call. */
  private boolean cut;

  /**
   * @param reader finds calls
   */
  ChatAnswer(CallReader reader) {
    this.reader = reader;
  }

  /** What more text adds to the message; nothing while it is held back. */
  List<Map<String, Object>> add(String text) {
    return deltas(reader.add(text));
  }

  /** What was held back. */
  List<Map<String, Object>> finish() {
    return deltas(reader.finish());
  }

  private List<Map<String, Object>> deltas(List<ToolPiece> pieces) {
    List<Map<String, Object>> deltas = new ArrayList<>();
    for (ToolPiece piece : pieces) {
      switch (piece) {
        case ToolPiece.Text t -> deltas.add(Json.object("content", t.text()));
        case ToolPiece.Call c -> {
          Map<String, Object> call = Json.object("index", calls++);
          call.putAll(call(c));
          deltas.add(Json.object("tool_calls", List.of(call)));
        }
      }
    }
    return deltas;
  }

  private Map<String, Object> call(ToolPiece.Call c) {
    cut |= c.isCut();
    return Json.object(
        "id",
        c.id(),
        "type",
        "function",
        "function",
        Json.object("name", c.name(), "arguments", c.arguments()));
  }

  /** The message of a whole text. */
  Map<String, Object> message(String text) {
    List<ToolPiece> pieces = new ArrayList<>(reader.add(text));
    pieces.addAll(reader.finish());
    StringBuilder words = new StringBuilder();
    List<Map<String, Object>> called = new ArrayList<>();
    for (ToolPiece piece : pieces) {
      switch (piece) {
        case ToolPiece.Text t -> words.append(t.text());
        case ToolPiece.Call c -> called.add(call(c));
      }
    }
    calls = called.size();
    String content = words.isEmpty() && calls > 0 ? null : words.toString();
    Map<String, Object> message =
        Json.object("role", "assistant", "content", content, "refusal", null);
    if (calls > 0) {
      message.put("tool_calls", called);
    }
    return message;
  }

  /** Why the choice ended, from why its text did. */
  String reason(String finish) {
    return calls > 0 && !cut && finish.equals("stop") ? "tool_calls" : finish;
  }
}
