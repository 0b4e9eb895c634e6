package dev.sortie.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Messages of LangChain4j as chat templates see them; what is no text is not supported. */
final class MessageTexts {
  private static final JsonLimits ARGUMENTS = new JsonLimits(1 << 20, 32, 1 << 20);

  private MessageTexts() {}

  /** Messages in order; fields that are null are not there for a template. */
  static List<dev.sortie.nn.text.chat.ChatMessage> of(List<ChatMessage> messages) {
    return messages.stream()
        .map(message -> new dev.sortie.nn.text.chat.ChatMessage(fields(message)))
        .toList();
  }

  private static Map<String, Object> fields(ChatMessage message) {
    return switch (message) {
      case SystemMessage m -> fields("system", m.text());
      case UserMessage m -> {
        Map<String, Object> fields = fields("user", text(m.contents()));
        fields.put("name", m.name());
        yield fields;
      }
      case AiMessage m -> {
        Map<String, Object> fields = fields("assistant", m.text());
        fields.put("reasoning_content", m.thinking());
        if (m.hasToolExecutionRequests()) {
          List<ToolExecutionRequest> calls = m.toolExecutionRequests();
          fields.put("tool_calls", calls.stream().map(MessageTexts::call).toList());
        }
        yield fields;
      }
      case ToolExecutionResultMessage m -> {
        Map<String, Object> fields = fields("tool", text(m.contents()));
        fields.put("tool_call_id", m.id());
        fields.put("name", m.toolName());
        yield fields;
      }
      default ->
          throw new UnsupportedFeatureException(
              "messages of type %s are not supported".formatted(message.type()));
    };
  }

  private static Map<String, Object> fields(String role, String content) {
    return Json.object("role", role, "content", content);
  }

  /** Templates write the arguments down again, so they get what these say, not their text. */
  private static Map<String, Object> call(ToolExecutionRequest call) {
    String text = call.arguments() == null || call.arguments().isBlank() ? "{}" : call.arguments();
    Object arguments = Json.parseRepeating("arguments of " + call.name(), text, ARGUMENTS);
    Map<String, Object> function = Json.object("name", call.name(), "arguments", arguments);
    return Json.object("id", call.id(), "type", "function", "function", function);
  }

  private static String text(List<Content> contents) {
    StringBuilder text = new StringBuilder();
    for (Content content : contents) {
      if (!(content instanceof TextContent part)) {
        throw new UnsupportedFeatureException(
            "content of type %s is not supported: the model reads text"
                .formatted(content.type().toString().toLowerCase(Locale.ROOT)));
      }
      text.append(part.text());
    }
    return text.toString();
  }
}
