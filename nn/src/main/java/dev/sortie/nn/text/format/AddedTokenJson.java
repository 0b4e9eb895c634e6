package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.AddedToken;
import dev.sortie.nn.text.model.Vocabulary;
import java.io.IOException;

/** An entry of {@code added_tokens} in {@code tokenizer.json}. */
final class AddedTokenJson {
  private AddedTokenJson() {}

  static AddedToken read(JsonValue v) {
    v.only("id", "content", "special", "single_word", "lstrip", "rstrip", "normalized");
    String content = v.get("content").string();
    if (content.isEmpty()) {
      throw v.get("content").refuse("a token of at least one character");
    }
    return new AddedToken(
        v.get("id").integer(0, Vocabulary.MAX_SIZE - 1),
        content,
        v.get("special").bool(false),
        v.get("single_word").bool(false),
        v.get("lstrip").bool(false),
        v.get("rstrip").bool(false),
        v.get("normalized").bool(true));
  }

  static void write(JsonGenerator json, AddedToken token) throws IOException {
    json.writeStartObject();
    json.writeNumberField("id", token.id());
    json.writeStringField("content", token.content());
    json.writeBooleanField("single_word", token.singleWord());
    json.writeBooleanField("lstrip", token.lstrip());
    json.writeBooleanField("rstrip", token.rstrip());
    json.writeBooleanField("normalized", token.normalized());
    json.writeBooleanField("special", token.special());
    json.writeEndObject();
  }
}
