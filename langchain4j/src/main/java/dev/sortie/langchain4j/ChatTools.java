package dev.sortie.langchain4j;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementJsonUtils;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.sortie.eetuning.Model;
import dev.sortie.eetuning.decode.tool.CallFormat;
import dev.sortie.eetuning.decode.tool.CallReader;
import dev.sortie.eetuning.decode.tool.ForcedCalls;
import dev.sortie.eetuning.decode.tool.ToolCallReader;
import dev.sortie.eetuning.decode.tool.WordsReader;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tools that a model may call, or must call.
 *
 * @param offered to the chat template, in the form that templates know
 * @param forced those of which one must be called, if one must
 */
record ChatTools(List<Map<String, Object>> offered, Optional<ForcedCalls> forced) {
  private static final JsonLimits SCHEMA = new JsonLimits(8 << 20, 64, 1 << 20);
  private static final ChatTools NONE = new ChatTools(List.of(), Optional.empty());

  /** Tools of a request; not supported where the model's template does not know such. */
  static ChatTools of(ChatRequestParameters p, Model model) {
    List<ToolSpecification> tools = p.toolSpecifications();
    if (tools.isEmpty() && p.toolChoice() == ToolChoice.REQUIRED) {
      throw new InputException("toolChoice is REQUIRED and there are no toolSpecifications");
    }
    if (tools.isEmpty() || p.toolChoice() == ToolChoice.NONE) {
      return NONE;
    }
    ChatTemplate template = model.chatTemplate();
    if (!template.readsTools()) {
      throw new UnsupportedFeatureException(
          "tools are not supported by this model: its chat template %s does not write them down"
              .formatted(template.origin()));
    }
    List<Map<String, Object>> offered = new ArrayList<>();
    List<ForcedCalls.Function> functions = new ArrayList<>();
    for (ToolSpecification tool : tools) {
      Optional<JsonObject> parameters =
          Optional.ofNullable(tool.parameters()).map(ChatTools::schema);
      Map<String, Object> function = Json.object("name", tool.name());
      if (tool.description() != null) {
        function.put("description", tool.description());
      }
      parameters.ifPresent(schema -> function.put("parameters", schema));
      offered.add(Json.object("type", "function", "function", function));
      functions.add(new ForcedCalls.Function(tool.name(), parameters, "tool " + tool.name()));
    }
    return new ChatTools(
        offered,
        p.toolChoice() == ToolChoice.REQUIRED
            ? Optional.of(new ForcedCalls(functions, CallFormat.of(template), false))
            : Optional.empty());
  }

  /** All that a schema says, as JSON. */
  static JsonObject schema(JsonSchemaElement element) {
    String json = Json.compact(JsonSchemaElementJsonUtils.toMap(element));
    return Json.parse("schema", json, SCHEMA);
  }

  /** Finds the calls in an answer. */
  CallReader reader() {
    if (offered.isEmpty()) {
      return new WordsReader();
    }
    return forced.map(ForcedCalls::reader).orElseGet(ToolCallReader::new);
  }
}
