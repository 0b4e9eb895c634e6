package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.PostProcessor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The field {@code post_processor} of {@code tokenizer.json}. */
final class PostProcessorJson {
  private PostProcessorJson() {}

  static PostProcessor read(JsonValue v) {
    if (v.isNull()) {
      return PostProcessor.NONE;
    }
    switch (v.get("type").string()) {
      case "ByteLevel":
        return PostProcessor.NONE; // It moves offsets only.
      case "TemplateProcessing":
        v.only("type", "single", "pair", "special_tokens");
        return single(v.get("single"), v.get("special_tokens"));
      case "Sequence":
        v.only("type", "processors");
        PostProcessor found = PostProcessor.NONE;
        for (JsonValue step : v.get("processors").items()) {
          PostProcessor next = read(step);
          if (found != PostProcessor.NONE && next != PostProcessor.NONE) {
            throw step.get("type").refuse("one TemplateProcessing in a Sequence");
          }
          found = next == PostProcessor.NONE ? found : next;
        }
        return found;
      default:
        throw v.get("type").refuse("null, ByteLevel, TemplateProcessing, Sequence");
    }
  }

  private static PostProcessor single(JsonValue single, JsonValue specials) {
    List<Integer> prefix = new ArrayList<>();
    List<Integer> suffix = new ArrayList<>();
    boolean seen = false;
    for (JsonValue item : single.items()) {
      item.only("SpecialToken", "Sequence");
      JsonValue token = item.get("SpecialToken");
      if (token.isNull()) {
        JsonValue sequence = item.get("Sequence").get("id");
        if (seen || !sequence.string().equals("A")) {
          throw sequence.refuse("the text A, once");
        }
        seen = true;
        continue;
      }
      for (JsonValue id : specials.get(token.get("id").string()).get("ids").items()) {
        (seen ? suffix : prefix).add(id.integer(0, Vocabulary.MAX_SIZE - 1));
      }
    }
    if (!seen) {
      throw single.refuse("a template with the text A");
    }
    return new PostProcessor(prefix, suffix);
  }

  static void write(JsonGenerator json, Tokenizer tokenizer, PostProcessor template)
      throws IOException {
    if (template.equals(PostProcessor.NONE)) {
      json.writeNull();
      return;
    }
    List<Integer> all = new ArrayList<>(template.prefix());
    all.addAll(template.suffix());
    JsonValues.start(json, "TemplateProcessing");
    json.writeArrayFieldStart("single");
    sequence(json, tokenizer, template, "A", 0);
    json.writeEndArray();
    json.writeArrayFieldStart("pair");
    sequence(json, tokenizer, template, "A", 0);
    sequence(json, tokenizer, template, "B", 1);
    json.writeEndArray();
    json.writeObjectFieldStart("special_tokens");
    for (int id : all.stream().distinct().toList()) {
      String token = tokenizer.token(id).orElseThrow();
      json.writeObjectFieldStart(token);
      json.writeStringField("id", token);
      json.writeArrayFieldStart("ids");
      json.writeNumber(id);
      json.writeEndArray();
      json.writeArrayFieldStart("tokens");
      json.writeString(token);
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void sequence(
      JsonGenerator json, Tokenizer tokenizer, PostProcessor template, String text, int type)
      throws IOException {
    for (int id : template.prefix()) {
      item(json, "SpecialToken", tokenizer.token(id).orElseThrow(), type);
    }
    item(json, "Sequence", text, type);
    for (int id : template.suffix()) {
      item(json, "SpecialToken", tokenizer.token(id).orElseThrow(), type);
    }
  }

  private static void item(JsonGenerator json, String kind, String id, int type)
      throws IOException {
    json.writeStartObject();
    json.writeObjectFieldStart(kind);
    json.writeStringField("id", id);
    json.writeNumberField("type_id", type);
    json.writeEndObject();
    json.writeEndObject();
  }
}
