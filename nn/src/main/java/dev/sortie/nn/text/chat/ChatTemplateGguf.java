package dev.sortie.nn.text.chat;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufMetadata;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Where a GGUF file keeps its chat template and the names of its special tokens. */
final class ChatTemplateGguf {
  private static final String TEMPLATE = "tokenizer.chat_template";
  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final int MOST_TOKENS = 1 << 24;
  private static final Map<String, String> SPECIALS =
      Map.of(
          "bos_token", "tokenizer.ggml.bos_token_id",
          "eos_token", "tokenizer.ggml.eos_token_id",
          "unk_token", "tokenizer.ggml.unknown_token_id",
          "pad_token", "tokenizer.ggml.padding_token_id");

  private ChatTemplateGguf() {}

  /** The key of a template: further ones stand under the default's, with a dot and their name. */
  static String key(String name) {
    return name.equals(ChatTemplateFiles.DEFAULT) ? TEMPLATE : TEMPLATE + "." + name;
  }

  static Map<String, String> sources(Path file) {
    try (Gguf gguf = Gguf.open(file)) {
      return sources(gguf.metadata());
    }
  }

  private static Map<String, String> sources(GgufMetadata metadata) {
    Map<String, String> templates = new LinkedHashMap<>();
    if (metadata.has(TEMPLATE)) {
      templates.put(ChatTemplateFiles.DEFAULT, metadata.getString(TEMPLATE));
    }
    for (String key : metadata.values().keySet()) {
      if (key.startsWith(TEMPLATE + ".")) {
        templates.put(key.substring(TEMPLATE.length() + 1), metadata.getString(key));
      }
    }
    return templates;
  }

  static Optional<ChatTemplate> read(Path file) {
    try (Gguf gguf = Gguf.open(file)) {
      GgufMetadata metadata = gguf.metadata();
      Map<String, String> templates = sources(metadata);
      return templates.isEmpty()
          ? Optional.empty()
          : Optional.of(ChatTemplate.of(templates, file + ": " + TEMPLATE, specials(metadata)));
    }
  }

  static Map<String, String> specials(Path file) {
    try (Gguf gguf = Gguf.open(file)) {
      return specials(gguf.metadata());
    }
  }

  private static Map<String, String> specials(GgufMetadata metadata) {
    List<String> tokens =
        metadata.has(TOKENS) ? metadata.getStrings(TOKENS, MOST_TOKENS) : List.of();
    Map<String, String> specials = new LinkedHashMap<>();
    SPECIALS.forEach(
        (name, key) -> {
          OptionalInt id = metadata.findInt(key, 0, MOST_TOKENS);
          if (id.isPresent() && id.getAsInt() >= tokens.size()) {
            throw new InputException(
                "%s: %s is %d, but there are %d tokens"
                    .formatted(metadata.file(), key, id.getAsInt(), tokens.size()));
          }
          id.ifPresent(i -> specials.put(name, tokens.get(i)));
        });
    return specials;
  }
}
