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
    List<Map<String, Object>> tools = new ArrayList<>();
    f.objects("tools").orElse(List.of()).forEach(tool -> tools.add(tool.fields()));
    return of(tools, f);
  }

  /** The same of tools in the form that templates know. */
  static List<Map<String, Object>> of(List<Map<String, Object>> tools, RequestFields f) {
    for (int i = 0; i < tools.size(); i++) {
      String param = "tools[" + i + "]";
      if (!"function".equals(tools.get(i).get("type"))) {
        throw ApiError.unsupported(
            param + ".type",
            "%s.type is %s; function is the only one that is supported"
                .formatted(param, Json.shown(tools.get(i).get("type"))));
      }
      if (!(name(tools.get(i).get("function")) instanceof String)) {
        throw ApiError.invalid(param + ".function", param + ".function has no name");
      }
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

  private static Object name(Object function) {
    return switch (function) {
      case JsonObject o -> o.fields().get("name");
      case Map<?, ?> m -> m.get("name");
      case null, default -> null;
    };
  }
}
