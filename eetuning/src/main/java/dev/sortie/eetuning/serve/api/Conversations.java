package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.List;
import java.util.Map;

/**
 * Writes conversations down as the model wants them.
 *
 * @param param names the conversation in errors
 */
record Conversations(ServedModel served, String param) {

  /** The ids of a conversation, up to where the answer begins. */
  int[] encode(
      List<ChatMessage> messages, List<Map<String, Object>> tools, RequestFields variables) {
    ChatTemplate template = template();
    ChatOptions options = options(tools, variables);
    try {
      return Prompt.orBos(
          served.model(), template.encode(messages, options, served.model().tokenizer()));
    } catch (InputException e) {
      throw ApiError.invalid(param, e.getMessage());
    }
  }

  /** The text of a conversation, up to where the answer begins. */
  String render(
      List<ChatMessage> messages, List<Map<String, Object>> tools, RequestFields variables) {
    ChatTemplate template = template();
    ChatOptions options = options(tools, variables);
    try {
      return template.render(messages, options);
    } catch (InputException e) {
      throw ApiError.invalid(param, e.getMessage());
    }
  }

  private static ChatOptions options(List<Map<String, Object>> tools, RequestFields f) {
    Map<String, Object> variables =
        f.object("chat_template_kwargs")
            .<Map<String, Object>>map(JsonObject::fields)
            .orElse(Map.of());
    try {
      return ChatOptions.DEFAULT.with(tools, variables);
    } catch (InputException e) {
      throw ApiError.invalid("chat_template_kwargs", e.getMessage());
    }
  }

  private ChatTemplate template() {
    return served
        .template()
        .orElseThrow(
            () ->
                ApiError.of(
                    400,
                    "no_chat_template",
                    "the model has no chat template; ask /v1/completions, or start the server with"
                        + " --chat-template FILE"));
  }
}
