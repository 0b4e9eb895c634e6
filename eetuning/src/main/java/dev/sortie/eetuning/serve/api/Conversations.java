package dev.sortie.eetuning.serve.api;

import dev.sortie.eetuning.decode.chat.Prompt;
import dev.sortie.nn.InputException;
import dev.sortie.nn.text.chat.ChatMessage;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes conversations down as the model wants them.
 *
 * @param param names the conversation in errors
 */
record Conversations(ServedModel served, String param) {

  /** The ids of a conversation, up to where the answer begins. */
  int[] encode(List<ChatMessage> messages, ToolFields tools, RequestFields f) {
    ChatTemplate template = template();
    ChatOptions options = options(template, tools, f);
    try {
      return Prompt.orBos(
          served.model(), template.encode(messages, options, served.model().tokenizer()));
    } catch (InputException e) {
      throw ApiError.invalid(param, e.getMessage());
    }
  }

  /** The text of a conversation, up to where the answer begins. */
  String render(List<ChatMessage> messages, ToolFields tools, RequestFields f) {
    ChatTemplate template = template();
    ChatOptions options = options(template, tools, f);
    try {
      return template.render(messages, options);
    } catch (InputException e) {
      throw ApiError.invalid(param, e.getMessage());
    }
  }

  /** A call that is forced needs no word in the prompt; one that the model may make does. */
  private static ChatOptions options(ChatTemplate template, ToolFields tools, RequestFields f) {
    if (tools.any() && !tools.forced() && !template.readsTools()) {
      throw ApiError.unsupported(
          "tools",
          "tools: the model's chat template does not write them down, so the model would not know of them; leave them out, or force a call with tool_choice");
    }
    Map<String, Object> variables = new LinkedHashMap<>();
    f.fields("chat_template_kwargs")
        .ifPresent(
            given ->
                given.names().stream()
                    .filter(template::reads)
                    .forEach(name -> variables.put(name, given.raw(name))));
    try {
      return ChatOptions.DEFAULT.with(tools.offered(), variables);
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
