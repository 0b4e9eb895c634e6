package dev.sortie.nn.text;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Where a Hugging Face folder keeps its chat template, as text. */
public final class ChatTemplateFiles {
  private ChatTemplateFiles() {}

  /**
   * The template of {@code chat_template.jinja}, else of {@code tokenizer_config.json}; of several
   * named ones, the default.
   *
   * @throws dev.sortie.nn.InputException if a file cannot be read
   */
  public static Optional<String> read(Path folder) {
    Path jinja = folder.resolve("chat_template.jinja");
    if (Files.exists(jinja)) {
      return Optional.of(TextFiles.read(jinja));
    }
    Path settings = folder.resolve("tokenizer_config.json");
    if (!Files.exists(settings)) {
      return Optional.empty();
    }
    JsonValue template =
        JsonFiles.read(settings, parser -> JsonFiles.value(parser, settings.toString(), ""))
            .get("chat_template");
    if (template.isNull()) {
      return Optional.empty();
    }
    return template.isList()
        ? template.items().stream()
            .filter(one -> one.get("name").string().equals("default"))
            .map(one -> one.get("template").string())
            .findFirst()
        : Optional.of(template.string());
  }
}
