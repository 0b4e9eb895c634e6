package dev.sortie.nn.text.chat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.file.TextFiles;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Where a Hugging Face folder keeps its chat template and the names of its special tokens. */
final class ChatTemplateFiles {
  /** More than a template may have. */
  static final int MAX_BYTES = 4 << 20;

  static final String DEFAULT = "default";
  private static final String OWN_FILE = "chat_template.jinja";
  private static final String SUFFIX = ".jinja";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String FIELD = "chat_template";
  private static final List<String> SPECIALS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private ChatTemplateFiles() {}

  /**
   * The templates as text, by name: {@code chat_template.jinja} is the default, and files of {@code
   * additional_chat_templates} have others; else {@code chat_template} in {@code
   * tokenizer_config.json} has one or several.
   *
   * @throws InputException if a file cannot be read, or the field is wrong
   */
  static Map<String, String> sources(Path folder) {
    return find(folder).map(Found::sources).orElse(Map.of());
  }

  static Optional<ChatTemplate> read(Path folder) {
    return find(folder)
        .map(found -> ChatTemplate.of(found.sources(), found.origin(), specials(folder)));
  }

  /** Templates by name, and where they stand. */
  private record Found(Map<String, String> sources, String origin) {}

  private static Optional<Found> find(Path folder) {
    Path own = folder.resolve(OWN_FILE);
    if (Files.exists(own)) {
      InputFiles.requireRegular(own);
      Map<String, String> sources = new LinkedHashMap<>();
      sources.put(DEFAULT, TextFiles.read(own, MAX_BYTES));
      for (Path more : additional(folder)) {
        String name = more.getFileName().toString();
        sources.put(
            name.substring(0, name.length() - SUFFIX.length()), TextFiles.read(more, MAX_BYTES));
      }
      return Optional.of(new Found(sources, own.toString()));
    }
    Path config = folder.resolve(CONFIG);
    if (!Files.exists(config)) {
      return Optional.empty();
    }
    JsonObject settings = Json.read(config, JsonLimits.DATA);
    return settings.has(FIELD)
        ? Optional.of(new Found(templates(settings), config + ": " + FIELD))
        : Optional.empty();
  }

  private static List<Path> additional(Path folder) {
    Path more = folder.resolve("additional_chat_templates");
    if (!Files.isDirectory(more)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(more)) {
      return files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().toList();
    } catch (IOException e) {
      throw new InputException(more + ": cannot be listed: " + InputFiles.reason(e), e);
    }
  }

  private static Map<String, String> templates(JsonObject settings) {
    if (settings.fields().get(FIELD) instanceof String one) {
      return Map.of(DEFAULT, one);
    }
    if (!(settings.fields().get(FIELD) instanceof List<?>)) {
      throw settings.error(FIELD, "a template, or a list of objects with name and template");
    }
    Map<String, String> templates = new LinkedHashMap<>();
    for (JsonObject one : settings.getObjects(FIELD)) {
      String name = one.getString("name");
      if (templates.put(name, one.getString("template")) != null) {
        throw new InputException(
            "%s: %s has two templates named \"%s\"; remove one"
                .formatted(settings.origin(), FIELD, name));
      }
    }
    if (templates.isEmpty()) {
      throw settings.error(FIELD, "at least one template");
    }
    return templates;
  }

  /** Special tokens by name; {@code tokenizer_config.json} decides over the older file. */
  static Map<String, String> specials(Path folder) {
    Map<String, String> specials = new LinkedHashMap<>();
    for (String file : List.of("special_tokens_map.json", CONFIG)) {
      Path path = folder.resolve(file);
      if (Files.exists(path)) {
        JsonObject settings = Json.read(path, JsonLimits.DATA);
        for (String name : SPECIALS) {
          if (settings.has(name)) {
            specials.put(name, spelling(settings, name));
          }
        }
      }
    }
    return specials;
  }

  private static String spelling(JsonObject settings, String name) {
    return settings.fields().get(name) instanceof JsonObject token
        ? token.getString("content")
        : settings.getString(name);
  }
}
