package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The functions that a model may call. */
final class ToolFields {
  private ToolFields() {}

  /**
   * The tools for the chat template; none where {@code tool_choice} says none. A choice that would
   * force the model to call is refused.
   */
  static List<Map<String, Object>> of(RequestFields f) {
    List<JsonObject> given = f.objects("tools").orElse(List.of());
    List<Map<String, Object>> tools = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      String param = "tools[" + i + "]";
      if (!"function".equals(given.get(i).fields().get("type"))) {
        throw ApiError.unsupported(
            param + ".type",
            "%s.type is %s; function is the only one that is supported"
                .formatted(param, Json.shown(given.get(i).fields().get("type"))));
      }
      if (!(given.get(i).fields().get("function") instanceof JsonObject function)
          || !(function.fields().get("name") instanceof String)) {
        throw ApiError.invalid(param + ".function", param + ".function has no name");
      }
      tools.add(given.get(i).fields());
    }
    return switch (f.raw("tool_choice")) {
      case null -> tools;
      case String word when word.equals("auto") -> tools;
      case String word when word.equals("none") -> List.of();
      default ->
          throw ApiError.unsupported(
              "tool_choice",
              "tool_choice %s is not supported by this server; take auto or none"
                  .formatted(Json.shown(f.raw("tool_choice"))));
    };
  }
}
