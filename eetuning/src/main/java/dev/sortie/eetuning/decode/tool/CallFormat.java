package dev.sortie.eetuning.decode.tool;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.chat.ChatTemplate;

/**
 * How a call of a function is written down where the model must call one: an object, between tags
 * where the model's template asks for them.
 *
 * @param before what stands before the object
 * @param arguments name of the field with the arguments
 * @param behind what stands behind the object
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

  /** A call up to its arguments. */
  String begin(String function) {
    return "%s{\"name\": %s, \"%s\": ".formatted(before, Json.compact(function), arguments);
  }

  /** What stands behind the arguments. */
  String end() {
    return "}" + behind;
  }
}
