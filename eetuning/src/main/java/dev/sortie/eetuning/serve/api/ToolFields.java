package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.tool.CallFormat;
import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.decode.tool.ForcedCalls;
import dev.sortie.eetuning.decode.tool.ToolCallReader;
import dev.sortie.eetuning.decode.tool.WordsReader;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The functions that a model may call, or must call.
 *
 * @param offered to the chat template, in the form that templates know
 * @param forced those of which one must be called; none where the model may answer as it likes
 * @param several whether it may call more than one
 */
record ToolFields(
    List<Map<String, Object>> offered, List<ForcedCalls.Function> forced, boolean several) {

  /** No functions. */
  static final ToolFields NONE = new ToolFields(List.of(), List.of(), true);

  /** As {@code tools} and {@code tool_choice} of a chat say. */
  static ToolFields of(RequestFields f) {
    List<Map<String, Object>> tools = new ArrayList<>();
    f.objects("tools").orElse(List.of()).forEach(tool -> tools.add(tool.fields()));
    return of(tools, f);
  }

  /** The same of tools in the form that templates know. */
  static ToolFields of(List<Map<String, Object>> tools, RequestFields f) {
    List<ForcedCalls.Function> functions = new ArrayList<>();
    for (int i = 0; i < tools.size(); i++) {
      functions.add(function(tools.get(i), "tools[" + i + "]"));
    }
    Object choice = f.raw("tool_choice");
    return switch (choice) {
      case null -> new ToolFields(tools, List.of(), true);
      case String word when word.equals("auto") -> new ToolFields(tools, List.of(), true);
      case String word when word.equals("none") -> NONE;
      case String word when word.equals("required") -> {
        if (tools.isEmpty()) {
          throw f.wrong("tool_choice", "tools with it");
        }
        boolean several = !Boolean.FALSE.equals(f.raw("parallel_tool_calls"));
        yield new ToolFields(tools, functions, several);
      }
      case JsonObject o when "function".equals(o.fields().get("type")) -> {
        Object name = o.has("function") ? name(o.fields().get("function")) : name(o);
        List<ForcedCalls.Function> named =
            functions.stream().filter(function -> function.name().equals(name)).toList();
        if (named.isEmpty()) {
          throw ApiError.invalid(
              "tool_choice",
              "tool_choice names %s, which is no function of tools".formatted(Json.shown(name)));
        }
        yield new ToolFields(tools, named, false);
      }
      default ->
          throw ApiError.unsupported(
              "tool_choice",
              "tool_choice %s is not supported by this server; take auto, none, required or a function"
                  .formatted(Json.shown(choice)));
    };
  }

  private static ForcedCalls.Function function(Map<String, Object> tool, String param) {
    if (!"function".equals(tool.get("type"))) {
      throw ApiError.unsupported(
          param + ".type",
          "%s.type is %s; function is the only one that is supported"
              .formatted(param, Json.shown(tool.get("type"))));
    }
    Object function = tool.get("function");
    if (!(name(function) instanceof String name)) {
      throw ApiError.invalid(param + ".function", param + ".function has no name");
    }
    Object description = field(function, "description");
    if (description != null && !(description instanceof String)) {
      throw wrong(param + ".function.description", description, "a text");
    }
    Object parameters = field(function, "parameters");
    if (parameters != null && !(parameters instanceof JsonObject)) {
      throw wrong(param + ".function.parameters", parameters, "a JSON schema");
    }
    return new ForcedCalls.Function(
        name,
        parameters instanceof JsonObject o ? Optional.of(o) : Optional.empty(),
        param + ".function.parameters");
  }

  private static ApiError wrong(String param, Object found, String expected) {
    return ApiError.invalid(
        param, "%s is %s, expected %s".formatted(param, Json.shown(found), expected));
  }

  private static Object name(Object function) {
    return field(function, "name");
  }

  private static Object field(Object function, String field) {
    return switch (function) {
      case JsonObject o -> o.fields().get(field);
      case Map<?, ?> m -> m.get(field);
      case null, default -> null;
    };
  }

  /** Whether there may be calls in the answer. */
  boolean any() {
    return !offered.isEmpty();
  }

  /** Finds the calls in an answer. */
  CallReader reader(ServedModel served) {
    if (!any()) {
      return new WordsReader();
    }
    return forced.isEmpty() ? new ToolCallReader() : calls(served).reader();
  }

  private ForcedCalls calls(ServedModel served) {
    return new ForcedCalls(forced, CallFormat.of(served.template().orElseThrow()), several);
  }

  /** The form of an answer that is a call, or what the request says otherwise. */
  AnswerForm form(RequestFields f, AnswerForm asked, ServedModel served, Grammars grammars) {
    if (asked.isGiven() && any()) {
      throw f.wrong(
          "tool_choice", "none together with a form of the answer, which leaves no room for calls");
    }
    if (forced.isEmpty()) {
      return asked;
    }
    if (f.flag("ignore_eos")) {
      throw f.wrong("ignore_eos", "false where a function must be called");
    }
    ForcedCalls calls = calls(served);
    return new AnswerForm(Optional.of(grammars.get("tools", calls.source(), calls::grammar)));
  }
}
