package dev.sortie.nn.text.format;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.model.Vocabulary;
import dev.sortie.nn.text.stage.PostProcessor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

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

  /** The field's value. */
  static Map<String, Object> write(Tokenizer tokenizer, PostProcessor template) {
    if (template.equals(PostProcessor.NONE)) {
      return null;
    }
    Map<String, Object> specials = new LinkedHashMap<>();
    Stream.concat(template.prefix().stream(), template.suffix().stream())
        .forEach(
            id -> {
              String token = tokenizer.token(id).orElseThrow();
              specials.put(
                  token, Json.object("id", token, "ids", List.of(id), "tokens", List.of(token)));
            });
    List<Object> pair = new ArrayList<>(sequence(tokenizer, template, "A", 0));
    pair.addAll(sequence(tokenizer, template, "B", 1));
    return Json.object(
        "type",
        "TemplateProcessing",
        "single",
        sequence(tokenizer, template, "A", 0),
        "pair",
        pair,
        "special_tokens",
        specials);
  }

  private static List<Object> sequence(
      Tokenizer tokenizer, PostProcessor template, String text, int type) {
    List<Object> items = new ArrayList<>();
    template.prefix().forEach(id -> items.add(special(tokenizer, id, type)));
    items.add(item("Sequence", text, type));
    template.suffix().forEach(id -> items.add(special(tokenizer, id, type)));
    return items;
  }

  private static Map<String, Object> special(Tokenizer tokenizer, int id, int type) {
    return item("SpecialToken", tokenizer.token(id).orElseThrow(), type);
  }

  private static Map<String, Object> item(String kind, String id, int type) {
    return Json.object(kind, Json.object("id", id, "type_id", type));
  }
}
