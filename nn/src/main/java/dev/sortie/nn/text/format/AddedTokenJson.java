package dev.sortie.nn.text.format;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.model.Vocabulary;
import java.util.Map;

/** An entry of {@code added_tokens} in {@code tokenizer.json}. */
final class AddedTokenJson {
  private AddedTokenJson() {}

  static AddedToken read(JsonValue v) {
    v.only("id", "content", "special", "single_word", "lstrip", "rstrip", "normalized");
    if (v.get("content").string().isEmpty()) {
      throw v.get("content").refuse("a token of at least one character");
    }
    return token(v.get("id").integer(0, Vocabulary.MAX_SIZE - 1), v);
  }

  /** The token of {@code id}; the other fields are those of {@code v}. */
  static AddedToken token(int id, JsonValue v) {
    return new AddedToken(
        id,
        v.get("content").string(),
        v.get("special").bool(false),
        v.get("single_word").bool(false),
        v.get("lstrip").bool(false),
        v.get("rstrip").bool(false),
        v.get("normalized").bool(true));
  }

  static Map<String, Object> write(AddedToken token) {
    return Json.object(
        "id", token.id(),
        "content", token.content(),
        "single_word", token.singleWord(),
        "lstrip", token.lstrip(),
        "rstrip", token.rstrip(),
        "normalized", token.normalized(),
        "special", token.special());
  }
}
