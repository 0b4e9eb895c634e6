package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sortie.nn.json.JsonValue;
import java.io.IOException;

/** What several parts of {@code tokenizer.json} have in common. */
final class JsonValues {
  private JsonValues() {}

  /** A pattern that is a string of at least one character. */
  static String literal(JsonValue pattern) {
    JsonValue text = pattern.only("String").get("String");
    if (text.string().isEmpty()) {
      throw text.refuse("a string of at least one character");
    }
    return text.string();
  }

  static void start(JsonGenerator json, String type) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", type);
  }

  /** A pattern; {@code kind} is String or Regex. */
  static void pattern(JsonGenerator json, String kind, String pattern) throws IOException {
    json.writeObjectFieldStart("pattern");
    json.writeStringField(kind, pattern);
    json.writeEndObject();
  }

  static void replacement(JsonGenerator json, String kind, String pattern, String content)
      throws IOException {
    start(json, "Replace");
    pattern(json, kind, pattern);
    json.writeStringField("content", content);
  }

  static void byteLevel(JsonGenerator json, boolean addPrefixSpace, boolean useRegex)
      throws IOException {
    start(json, "ByteLevel");
    json.writeBooleanField("add_prefix_space", addPrefixSpace);
    json.writeBooleanField("trim_offsets", true);
    json.writeBooleanField("use_regex", useRegex);
  }
}
