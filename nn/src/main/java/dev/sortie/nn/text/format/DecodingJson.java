package dev.sortie.nn.text.format;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.stage.PreTokenizer.PrependScheme;
import dev.sortie.nn.text.stage.TokenDecoding;
import dev.sortie.nn.text.stage.TokenDecoding.Step;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

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
                JsonValues.literal(v.get("pattern")), v.get("content").string()));
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
        v.get("decoders").items().forEach(step -> addSteps(step, steps));
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

  static void write(JsonGenerator json, TokenDecoding decoding) throws IOException {
    if (decoding.steps().size() == 1) {
      write(json, decoding.steps().getFirst());
      return;
    }
    JsonValues.start(json, "Sequence");
    json.writeArrayFieldStart("decoders");
    for (Step step : decoding.steps()) {
      write(json, step);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, Step step) throws IOException {
    switch (step) {
      case TokenDecoding.ByteLevel() -> JsonValues.byteLevel(json, true, true);
      case TokenDecoding.ByteFallback() -> JsonValues.start(json, "ByteFallback");
      case TokenDecoding.Fuse() -> JsonValues.start(json, "Fuse");
      case TokenDecoding.Replace(String pattern, String content) ->
          JsonValues.replacement(json, "String", pattern, content);
      case TokenDecoding.Strip(char content, int start, int stop) -> {
        JsonValues.start(json, "Strip");
        json.writeStringField("content", String.valueOf(content));
        json.writeNumberField("start", start);
        json.writeNumberField("stop", stop);
      }
      case TokenDecoding.Metaspace(char replacement, boolean dropFirst) -> {
        JsonValues.start(json, "Metaspace");
        json.writeStringField("replacement", String.valueOf(replacement));
        json.writeStringField("prepend_scheme", dropFirst ? "always" : "never");
        json.writeBooleanField("split", true);
      }
    }
    json.writeEndObject();
  }
}
