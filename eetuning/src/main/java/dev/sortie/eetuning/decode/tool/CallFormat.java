package dev.sortie.eetuning.decode.tool;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * How a call of a function is written down where the model must call one: an object, between tags
 * where the model's template asks for them.
 *
 * @param before what stands before the object
 * @param arguments name of the field with the arguments
 * @param behind what stands after the object
 * @param several whether one call may follow another
 */
public record CallFormat(String before, String arguments, String behind, boolean several) {
  static final String OPEN = "<tool_call>";
  static final String CLOSE = "</tool_call>";

  /** What stands between calls. */
  static final String BETWEEN = "\n";

  /** As a template asks for it. */
  public static CallFormat of(ChatTemplate template) {
    boolean tags = template.spells(OPEN);
    String arguments =
        template.spells("\"parameters\"") && !template.spells("\"arguments\"")
            ? "parameters"
            : "arguments";
    return new CallFormat(tags ? OPEN + "\n" : "", arguments, tags ? "\n" + CLOSE : "", tags);
  }

  /**
   * Whether {@link ToolCallReader} knows the form that a template gives to calls: it asks for tags,
   * or writes an answer that is a call as one object.
   */
  public static boolean isKnown(ChatTemplate template) {
    return template.spells(OPEN) || writesObjects(template);
  }

  private static boolean writesObjects(ChatTemplate template) {
    ChatMessage question = ChatMessage.of("user", "q");
    Map<String, Object> function = Json.object("name", "f", "arguments", Json.object("a", "b"));
    List<Object> calls =
        List.of(Json.object("id", "call00000", "type", "function", "function", function));
    ChatMessage call =
        new ChatMessage(Json.object("role", "assistant", "content", "", "tool_calls", calls));
    try {
      String before = template.render(List.of(question), ChatOptions.DEFAULT);
      String all = template.render(List.of(question, call), ChatOptions.DEFAULT);
      int same = Arrays.mismatch(before.toCharArray(), all.toCharArray());
      String answer = same < 0 ? "" : all.substring(same);
      ToolCallReader reader = new ToolCallReader();
      reader.add(answer.substring(0, answer.lastIndexOf('}') + 1));
      return reader.finish().stream().anyMatch(ToolPiece.Call.class::isInstance);
    } catch (InputException e) {
      return false; // it has no place for calls
    }
  }

  /** A call up to its arguments. */
  String begin(String function) {
    return "%s{\"name\": %s, \"%s\": ".formatted(before, Json.compact(function), arguments);
  }

  /** What stands after the arguments. */
  String end() {
    return "}" + behind;
  }
}
