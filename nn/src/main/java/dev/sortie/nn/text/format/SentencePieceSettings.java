package dev.sortie.nn.text.format;

import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.model.Vocabulary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a folder says of its {@code tokenizer.model} in {@code tokenizer_config.json}, or in the
 * older {@code added_tokens.json}.
 *
 * @param addBos whether a text begins with BOS
 * @param addEos whether a text ends with EOS
 * @param added tokens in addition to those of the model, or more about those
 */
record SentencePieceSettings(boolean addBos, boolean addEos, List<AddedToken> added) {

  static SentencePieceSettings of(Path folder) {
    Path config = folder.resolve("tokenizer_config.json");
    boolean addBos = true;
    boolean addEos = false;
    List<AddedToken> added = new ArrayList<>();
    if (Files.exists(config)) {
      JsonValue settings = JsonValue.read(config, JsonLimits.TOKENIZER);
      addBos = flag(settings.get("add_bos_token"), true);
      addEos = flag(settings.get("add_eos_token"), false);
      JsonValue decoder = settings.get("added_tokens_decoder");
      if (!decoder.isNull()) {
        decoder.members().forEach((id, token) -> added.add(token(id, token)));
      }
    }
    Path older = folder.resolve("added_tokens.json");
    if (added.isEmpty() && Files.exists(older)) {
      Map<String, JsonValue> tokens = JsonValue.read(older, JsonLimits.TOKENIZER).members();
      tokens.forEach(
          (content, id) ->
              added.add(AddedToken.special(id.integer(0, Vocabulary.MAX_SIZE - 1), content)));
    }
    return new SentencePieceSettings(addBos, addEos, List.copyOf(added));
  }

  private static boolean flag(JsonValue v, boolean absent) {
    return v.isNull() ? absent : v.bool(absent);
  }

  private static AddedToken token(String id, JsonValue v) {
    JsonValue content = v.get("content");
    if (!id.matches("[0-9]{1,7}") || content.string().isEmpty()) {
      throw v.refuse("an id with a token of at least one character");
    }
    return AddedTokenJson.token(Integer.parseInt(id), v);
  }
}
