package dev.sortie.nn.text.chat;

import dev.sortie.nn.InputException;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What a conversation is rendered with.
 *
 * @param addGenerationPrompt whether the text ends where the assistant's answer begins
 * @param tools descriptions of functions that the model may call, as JSON schemas; none if empty
 * @param variables more variables that a template may read, such as {@code enable_thinking}
 * @param now the time, for templates that name the day
 */
public record ChatOptions(
    boolean addGenerationPrompt,
    List<Map<String, Object>> tools,
    Map<String, Object> variables,
    Supplier<LocalDateTime> now) {
  private static final Set<String> TAKEN =
      Set.of("messages", "tools", "documents", "add_generation_prompt");

  /** An answer is to follow; no tools, no variables, the machine's time. */
  public static final ChatOptions DEFAULT =
      new ChatOptions(true, List.of(), Map.of(), LocalDateTime::now);

  /** Refuses variables that the conversation itself sets. */
  public ChatOptions {
    tools = List.copyOf(tools);
    variables = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    for (String name : variables.keySet()) {
      if (TAKEN.contains(name)) {
        throw new InputException(
            "the template variable '" + name + "' is set by the conversation; name another");
      }
    }
  }

  /** The same with other tools and variables. */
  public ChatOptions with(List<Map<String, Object>> newTools, Map<String, Object> newVariables) {
    return new ChatOptions(addGenerationPrompt, newTools, newVariables, now);
  }

  /** The same at a time that stands still. */
  ChatOptions at(LocalDateTime time) {
    return new ChatOptions(addGenerationPrompt, tools, variables, () -> time);
  }
}
