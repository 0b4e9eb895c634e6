package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TokenizerSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Writes a tokenizer as the {@code tokenizer.json} that Hugging Face's tokenizers reads. */
public final class TokenizerJsonWriter {
  private static final String TEMPLATES = "chat_template";
  private static final String DEFAULT = "default";

  private TokenizerJsonWriter() {}

  /**
   * Writes {@code tokenizer.json} and, next to it, the {@code tokenizer_config.json} that names BOS
   * and EOS. Each file appears whole or not at all.
   *
   * @throws InputException if a file cannot be written
   */
  public static void write(SubwordTokenizer tokenizer, Path file) {
    write(tokenizer, file, Map.of());
  }

  /**
   * The same with chat templates in {@code tokenizer_config.json}.
   *
   * @param chatTemplates by name; the one named {@code default} may be alone
   * @throws InputException if a file cannot be written
   */
  public static void write(
      SubwordTokenizer tokenizer, Path file, Map<String, String> chatTemplates) {
    TokenizerSpec spec = tokenizer.spec();
    Json.writeSpaced(
        file,
        Json.object(
            "version", "1.0",
            "truncation", null,
            "padding", null,
            "added_tokens", spec.added().stream().map(AddedTokenJson::write).toList(),
            "normalizer", NormalizerJson.write(spec.normalizer()),
            "pre_tokenizer", PreTokenizerJson.write(spec.preTokenizer()),
            "post_processor", PostProcessorJson.write(tokenizer, spec.template()),
            "decoder", DecodingJson.write(spec.decoding()),
            "model", SubwordModelJson.write(spec)));
    Map<String, Object> settings =
        Json.object(
            "tokenizer_class", "PreTrainedTokenizerFast",
            "bos_token", token(tokenizer, tokenizer.bosId()),
            "eos_token", token(tokenizer, tokenizer.eosId()));
    if (chatTemplates.keySet().equals(Set.of(DEFAULT))) {
      settings.put(TEMPLATES, chatTemplates.get(DEFAULT));
    } else if (!chatTemplates.isEmpty()) {
      List<Object> all = new ArrayList<>();
      chatTemplates.forEach((name, text) -> all.add(Json.object("name", name, "template", text)));
      settings.put(TEMPLATES, all);
    }
    Json.writeSpaced(file.resolveSibling("tokenizer_config.json"), settings);
  }

  private static String token(Tokenizer tokenizer, OptionalInt id) {
    return id.isPresent() ? tokenizer.token(id.getAsInt()).orElse(null) : null;
  }
}
