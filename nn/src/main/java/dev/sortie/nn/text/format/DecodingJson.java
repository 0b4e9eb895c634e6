package dev.sortie.nn.text.format;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.stage.PreTokenizer.PrependScheme;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.stage.TokenDecoding.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The field {@code decoder} of {@code tokenizer.json}. */
final class DecodingJson {
  private DecodingJson() {}

  static TokenDecoding read(JsonValue v) {
    if (v.isNull()) {
      throw v.refuse("ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, Sequence");
    }
    List<Step> steps = new ArrayList<>();
    addSteps(v, steps);
    return new TokenDecoding(steps);
  }

  private static void addSteps(JsonValue v, List<Step> steps) {
    boolean fused =
        steps.stream()
            .anyMatch(s -> s instanceof TokenDecoding.Fuse || s instanceof TokenDecoding.ByteLevel);
    String type = v.get("type").string();
    switch (type) {
      case "ByteLevel" -> {
        v.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        if (!steps.isEmpty()) {
          throw v.get("type").refuse("ByteLevel as the first step only");
        }
        steps.add(new TokenDecoding.ByteLevel());
      }
      case "ByteFallback" -> {
        v.only("type");
        requireTokens(v, fused);
        steps.add(new TokenDecoding.ByteFallback());
      }
      case "Fuse" -> {
        v.only("type");
        steps.add(new TokenDecoding.Fuse());
      }
      case "Strip" -> {
        v.only("type", "content", "start", "stop");
        steps.add(
            new TokenDecoding.Strip(
                v.get("content").character(),
                v.get("start").integer(0, 1 << 16),
                v.get("stop").integer(0, 1 << 16)));
      }
      case "Replace" -> {
        v.only("type", "pattern", "content");
        steps.add(
            new TokenDecoding.Replace(
                ComponentJson.literal(v.get("pattern")), v.get("content").string()));
      }
      case "Metaspace" -> {
        v.only("type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split");
        requireTokens(v, fused);
        steps.add(
            new TokenDecoding.Metaspace(
                v.get("replacement").character(),
                PreTokenizerJson.prependScheme(v) != PrependScheme.NEVER));
      }
      case "Sequence" -> {
        v.only("type", "decoders");
        List<JsonValue> items = v.get("decoders").items();
        ComponentJson.requireFew(v.get("decoders"), steps.size() + items.size());
        items.forEach(step -> addSteps(step, steps));
      }
      default ->
          throw v.get("type")
              .refuse("ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace, Sequence");
    }
  }

  private static void requireTokens(JsonValue v, boolean fused) {
    if (fused) {
      throw v.get("type").refuse("ByteFallback and Metaspace before ByteLevel and Fuse only");
    }
  }

  /** The field's value. */
  static Map<String, Object> write(TokenDecoding decoding) {
    List<Map<String, Object>> steps = decoding.steps().stream().map(DecodingJson::write).toList();
    return steps.size() == 1
        ? steps.getFirst()
        : Json.object("type", "Sequence", "decoders", steps);
  }

  private static Map<String, Object> write(Step step) {
    return switch (step) {
      case TokenDecoding.ByteLevel() -> ComponentJson.byteLevel(true, true);
      case TokenDecoding.ByteFallback() -> Json.object("type", "ByteFallback");
      case TokenDecoding.Fuse() -> Json.object("type", "Fuse");
      case TokenDecoding.Replace(String pattern, String content) ->
          ComponentJson.replacement("String", pattern, content);
      case TokenDecoding.Strip(char content, int start, int stop) ->
          Json.object(
              "type", "Strip", "content", String.valueOf(content), "start", start, "stop", stop);
      case TokenDecoding.Metaspace(char replacement, boolean dropFirst) ->
          Json.object(
              "type",
              "Metaspace",
              "replacement",
              String.valueOf(replacement),
              "prepend_scheme",
              dropFirst ? "always" : "never",
              "split",
              true);
    };
  }
}
