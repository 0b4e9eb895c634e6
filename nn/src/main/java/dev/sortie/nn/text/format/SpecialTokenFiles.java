package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.model.Vocabulary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/** BOS and EOS as the files next to {@code tokenizer.json} name them. */
final class SpecialTokenFiles {
  private SpecialTokenFiles() {}

  /** Fills in what {@code tokenizer} does not know yet. */
  static SubwordTokenizer complete(SubwordTokenizer tokenizer, Path folder) {
    OptionalInt bos = tokenizer.bosId();
    OptionalInt eos = tokenizer.eosId();
    Path settings = folder.resolve("tokenizer_config.json");
    if (Files.exists(settings)) {
      JsonValue config = JsonValue.read(settings, JsonLimits.TOKENIZER);
      bos = bos.isPresent() ? bos : named(tokenizer, config.get("bos_token"));
      eos = eos.isPresent() ? eos : named(tokenizer, config.get("eos_token"));
    }
    Path model = folder.resolve("config.json");
    if (Files.exists(model) && (bos.isEmpty() || eos.isEmpty())) {
      JsonValue config = JsonValue.read(model, JsonLimits.TOKENIZER);
      bos = bos.isPresent() ? bos : numbered(tokenizer, config.get("bos_token_id"));
      eos = eos.isPresent() ? eos : numbered(tokenizer, config.get("eos_token_id"));
    }
    return tokenizer.withSpecials(bos, eos);
  }

  /** A token, or an object whose content is the token. */
  private static OptionalInt named(Tokenizer tokenizer, JsonValue token) {
    if (token.isNull()) {
      return OptionalInt.empty();
    }
    JsonValue content = token.isObject() ? token.get("content") : token;
    OptionalInt id = tokenizer.id(content.string());
    if (id.isEmpty()) {
      throw content.refuse("a token of tokenizer.json");
    }
    return id;
  }

  /** An id, or a list of ids of which the first is taken. */
  private static OptionalInt numbered(Tokenizer tokenizer, JsonValue id) {
    if (id.isNull()) {
      return OptionalInt.empty();
    }
    if (id.isList() && id.items().isEmpty()) {
      throw id.refuse("null, an id or a list of ids");
    }
    JsonValue one = id.isList() ? id.items().getFirst() : id;
    int value = one.integer(0, Vocabulary.MAX_SIZE - 1);
    if (tokenizer.token(value).isEmpty()) {
      throw new InputException(
          "%s: %s is %d, but tokenizer.json has no such id (%d ids)"
              .formatted(one.file(), one.path(), value, tokenizer.vocabSize()));
    }
    return OptionalInt.of(value);
  }
}
