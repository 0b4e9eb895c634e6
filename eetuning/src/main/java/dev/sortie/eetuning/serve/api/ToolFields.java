package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.tool.CallFormat;
import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.decode.tool.CallsOrWordsReader;
import dev.sortie.eetuning.decode.tool.ForcedCalls;
import dev.sortie.eetuning.decode.tool.StrictCalls;
import dev.sortie.eetuning.decode.tool.ToolCallReader;
import dev.sortie.eetuning.decode.tool.WordsReader;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The functions that a model may call, or must call.
 *
 * @param offered to the chat template, in the form that templates know
 * @param functions those that may be called
 * @param strict names of those whose arguments must be valid, where they are called at will
 * @param forced whether one of the functions must be called
 * @param several whether it may call more than one
 */
record ToolFields(
    List<Map<String, Object>> offered,
    List<ForcedCalls.Function> functions,
    Set<String> strict,
    boolean forced,
    boolean several) {

  /** No functions. */
  static final ToolFields NONE = new ToolFields(List.of(), List.of(), Set.of(), false, true);

  /**
   * As {@code tools} and {@code tool_choice} of a chat say.
   *
   * @param formed whether the request asks for JSON, which leaves room for calls of one form alone
   */
  static ToolFields of(RequestFields f, boolean formed) {
    List<Map<String, Object>> tools = new ArrayList<>();
    f.objects("tools").orElse(List.of()).forEach(tool -> tools.add(tool.fields()));
    return of(tools, f, formed, false);
  }

  /**
   * The same of tools in the form that templates know.
   *
   * @param strictByDefault whether a function whose {@code strict} is not said is strict, if its
   *     schema is supported
   */
  static ToolFields of(
      List<Map<String, Object>> tools, RequestFields f, boolean formed, boolean strictByDefault) {
    List<ForcedCalls.Function> functions = new ArrayList<>();
    Set<String> strict = new LinkedHashSet<>();
    for (int i = 0; i < tools.size(); i++) {
      String param = "tools[" + i + "]";
      functions.add(function(tools.get(i), param));
      ForcedCalls.Function function = functions.getLast();
      if (isStrict(tools.get(i), param)
          .orElseGet(() -> strictByDefault && function.isSupported())) {
        strict.add(function.name());
      }
    }
    Object choice = f.raw("tool_choice");
    return switch (choice) {
      case null -> atWill(tools, functions, strict, formed, f);
      case String word when word.equals("auto") -> atWill(tools, functions, strict, formed, f);
      case String word when word.equals("none") -> NONE;
      case String word when word.equals("required") -> {
        if (tools.isEmpty()) {
          throw f.wrong("tool_choice", "tools with it");
        }
        yield new ToolFields(tools, functions, Set.of(), true, several(f));
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
        yield new ToolFields(tools, named, Set.of(), true, false);
      }
      default ->
          throw ApiError.unsupported(
              "tool_choice",
              "tool_choice %s is not supported by this server; take auto, none, required or a function"
                  .formatted(Json.shown(choice)));
    };
  }

  /** Whether one call may follow another matters where calls are held to a form. */
  private static ToolFields atWill(
      List<Map<String, Object>> tools,
      List<ForcedCalls.Function> functions,
      Set<String> strict,
      boolean formed,
      RequestFields f) {
    boolean held = !strict.isEmpty() || formed && !tools.isEmpty();
    return new ToolFields(tools, functions, strict, false, !held || several(f));
  }

  private static boolean several(RequestFields f) {
    return f.flag("parallel_tool_calls", true);
  }

  /** What a function says; empty if it leaves that open. */
  private static Optional<Boolean> isStrict(Map<String, Object> tool, String param) {
    return switch (field(tool.get("function"), "strict")) {
      case null -> Optional.empty();
      case Boolean strict -> Optional.of(strict);
      case Object other -> throw wrong(param + ".function.strict", other, "true or false");
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

  /** Whether arguments of a function are held to its schema. */
  boolean holds(String function) {
    return forced || strict.contains(function);
  }

  /** Whether there may be calls in the answer. */
  boolean any() {
    return !offered.isEmpty();
  }

  /**
   * Finds the calls in an answer.
   *
   * @param form of the answer
   */
  CallReader reader(ServedModel served, AnswerForm form) {
    if (!any()) {
      return new WordsReader();
    }
    if (forced) {
      return calls(served).reader();
    }
    if (form.json().isPresent()) {
      return new CallsOrWordsReader(calls(served).reader());
    }
    return isHeld(served) ? strictCalls().reader() : new ToolCallReader();
  }

  private ForcedCalls calls(ServedModel served) {
    return new ForcedCalls(functions, format(served), several);
  }

  private static CallFormat format(ServedModel served) {
    return CallFormat.of(served.template().orElseThrow());
  }

  private StrictCalls strictCalls() {
    return new StrictCalls(functions, strict, several);
  }

  /** Whether there are strict functions, and the model writes calls in a form that is known. */
  private boolean isHeld(ServedModel served) {
    return !strict.isEmpty() && CallFormat.isKnown(served.template().orElseThrow());
  }

  /** The form of an answer that is a call, or may be one, or what the request says otherwise. */
  AnswerForm form(RequestFields f, AnswerForm asked, ServedModel served, Grammars grammars) {
    if (!any()) {
      return asked;
    }
    if (asked.isGiven() && asked.json().isEmpty()) {
      throw f.wrong("tool_choice", "none together with a grammar, which leaves no room for calls");
    }
    if (forced) {
      requireEnd(f, "where a function must be called");
      if (asked.isGiven()) {
        f.ignore(f.has("response_format") ? "response_format" : "text.format");
      }
      ForcedCalls calls = calls(served);
      return new AnswerForm(grammars.get("tools", calls.source(), calls::grammar));
    }
    if (asked.isGiven()) {
      return callsOr(asked.json().orElseThrow(), f, served, grammars);
    }
    if (isHeld(served)) {
      requireEnd(f, "where a function is strict");
      StrictCalls calls = strictCalls();
      return new AnswerForm(grammars.over("tools", calls.toString(), calls::grammar));
    }
    for (int i = 0; i < functions.size(); i++) {
      if (strict.contains(functions.get(i).name())) {
        f.ignore("tools[%d].function.strict".formatted(i));
      }
    }
    return asked;
  }

  private static void requireEnd(RequestFields f, String where) {
    if (f.flag("ignore_eos")) {
      throw f.wrong("ignore_eos", "false " + where);
    }
  }

  /** Words in a form of JSON, or calls, which tags tell apart from these. */
  private AnswerForm callsOr(
      AnswerForm.JsonForm json, RequestFields f, ServedModel served, Grammars grammars) {
    if (format(served).before().isEmpty()) {
      throw f.wrong(
          "tool_choice",
          "none or a call that must be made, together with a form of the answer: the model's chat template has no tags for calls, which could not be told from the answer");
    }
    ForcedCalls calls = calls(served);
    return new AnswerForm(
        Optional.of(
            grammars.get(
                "tools", calls.source() + "\n" + json.source(), () -> json.grammar(calls::add))),
        Optional.of(json));
  }
}
