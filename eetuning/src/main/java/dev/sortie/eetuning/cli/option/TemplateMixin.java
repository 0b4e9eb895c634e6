package dev.sortie.eetuning.cli.option;

import dev.sortie.eetuning.cli.base.ReadOnce;
import dev.sortie.nn.InputException;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.file.NamedInput;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.text.chat.ChatOptions;
import dev.sortie.nn.text.chat.ChatTemplate;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** Options of the chat template. */
public final class TemplateMixin {
  @Option(
      names = "--chat-template",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description = "A Jinja chat template to use instead of the model's own." + ReadOnce.HELP)
  private Path file;

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      converter = ReadOnce.class,
      description =
          "A JSON list of functions that the model may call; passed to the chat "
              + "template."
              + ReadOnce.HELP)
  private Path tools;

  @Option(
      names = "--template-variable",
      paramLabel = "NAME=VALUE",
      description =
          "A variable for the chat template, such as enable_thinking=false. true, "
              + "false and integers are converted. May be repeated.")
  private Map<String, String> variables = new LinkedHashMap<>();

  private ChatOptions options;

  /** Refuses these options where nothing is rendered with a template. */
  public void refuseWithoutMessages() {
    if (file != null || tools != null || !variables.isEmpty()) {
      throw new UsageException(
          "--chat-template, --tools and --template-variable need --messages FILE");
    }
  }

  /**
   * The template of a model, which must have one.
   *
   * @throws InputException if there is none, or tools are given that it would leave out
   */
  public ChatTemplate template(Path model) {
    ChatTemplate template =
        file != null ? ChatTemplate.ofFile(file, model) : ChatTemplate.required(model);
    if (!options().tools().isEmpty() && !template.readsTools()) {
      throw new InputException(
          "--tools %s: the chat template %s does not write tools down, so the model would not know of them; leave out --tools, or give a --chat-template that does"
              .formatted(NamedInput.name(tools), template.origin()));
    }
    return template;
  }

  /** For an answer. */
  public ChatOptions options() {
    if (options == null) { // a pipe of tools is read once
      options = read();
    }
    return options;
  }

  private ChatOptions read() {
    Map<String, Object> values = new LinkedHashMap<>();
    variables.forEach((name, value) -> values.put(name, value(value)));
    List<Map<String, Object>> list =
        tools == null
            ? List.of()
            : Json.readObjects(tools, JsonLimits.DATA).stream()
                .<Map<String, Object>>map(JsonObject::fields)
                .toList();
    return ChatOptions.DEFAULT.with(list, values);
  }

  private static Object value(String word) {
    return switch (word) {
      case "true" -> true;
      case "false" -> false;
      default -> word.matches("-?[0-9]{1,18}") ? (Object) Long.valueOf(word) : word;
    };
  }
}
