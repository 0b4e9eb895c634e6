package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.stage.Normalizer;
import dev.sortie.nn.text.stage.PrecompiledCharsMap;
import dev.sortie.nn.text.stage.SentencePieceNormalizer;
import java.text.Normalizer.Form;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** The field {@code normalizer} of {@code tokenizer.json}. */
final class NormalizerJson {
  private NormalizerJson() {}

  static Normalizer read(JsonValue v) {
    if (v.isNull()) {
      return new Normalizer.None();
    }
    String type = v.get("type").string();
    switch (type) {
      case "NFC", "NFD", "NFKC", "NFKD":
        v.only("type");
        return new Normalizer.Unicode(Form.valueOf(type));
      case "Prepend":
        v.only("type", "prepend");
        return new Normalizer.Prepend(v.get("prepend").string());
      case "Replace":
        return replace(v);
      case "Lowercase":
        v.only("type");
        return new Normalizer.Lowercase();
      case "Strip":
        v.only("type", "strip_left", "strip_right");
        return new Normalizer.Strip(
            v.get("strip_left").bool(true), v.get("strip_right").bool(true));
      case "StripAccents":
        v.only("type");
        return new Normalizer.StripAccents();
      case "Precompiled":
        v.only("type", "precompiled_charsmap");
        return precompiled(v.get("precompiled_charsmap"));
      case "Sequence":
        v.only("type", "normalizers");
        return sequence(v.get("normalizers"));
      default:
        throw v.get("type")
            .refuse(
                "null, NFC, NFD, NFKC, NFKD, Prepend, Replace, Lowercase, Strip, StripAccents, Precompiled, Sequence");
    }
  }

  private static Normalizer sequence(JsonValue list) {
    ComponentJson.requireFew(list, list.items().size());
    Normalizer.Sequence sequence =
        new Normalizer.Sequence(list.items().stream().map(NormalizerJson::read).toList());
    ComponentJson.requireFew(list, sequence.steps().size());
    return sequence;
  }

  private static Normalizer replace(JsonValue v) {
    v.only("type", "pattern", "content");
    String content = v.get("content").string();
    JsonValue regex = v.get("pattern").only("String", "Regex").get("Regex");
    if (regex.isNull()) {
      return new Normalizer.Replace(ComponentJson.literal(v.get("pattern")), content);
    }
    if (!regex.string().equals(Normalizer.CollapseSpaces.REGEX)) {
      throw regex.refuse(Printable.quoted(Normalizer.CollapseSpaces.REGEX) + ", or a String");
    }
    return new Normalizer.CollapseSpaces(content);
  }

  private static Normalizer precompiled(JsonValue map) {
    try {
      byte[] blob = Base64.getDecoder().decode(map.string());
      return new Normalizer.Precompiled(
          new PrecompiledCharsMap(blob, map.file() + ": " + map.path()));
    } catch (IllegalArgumentException e) {
      throw map.refuse("bytes in Base64");
    }
  }

  /** The field's value. */
  static Map<String, Object> write(Normalizer normalizer) {
    return switch (normalizer) {
      case Normalizer.None() -> null;
      case Normalizer.Unicode(var form) -> Json.object("type", form.name());
      case Normalizer.Prepend(String prefix) -> Json.object("type", "Prepend", "prepend", prefix);
      case Normalizer.Replace(String pattern, String content) ->
          ComponentJson.replacement("String", pattern, content);
      case Normalizer.CollapseSpaces(String content) ->
          ComponentJson.replacement("Regex", Normalizer.CollapseSpaces.REGEX, content);
      case Normalizer.Lowercase() -> Json.object("type", "Lowercase");
      case Normalizer.StripAccents() -> Json.object("type", "StripAccents");
      case Normalizer.Strip(boolean left, boolean right) ->
          Json.object("type", "Strip", "strip_left", left, "strip_right", right);
      case Normalizer.Precompiled(PrecompiledCharsMap map) ->
          Json.object(
              "type",
              "Precompiled",
              "precompiled_charsmap",
              Base64.getEncoder().encodeToString(map.blob()));
      case SentencePieceNormalizer own ->
          throw new InputException(
              "tokenizer.json has no words for the normalizer of this tokenizer.model; keep that file");
      case Normalizer.Sequence(List<Normalizer> steps) ->
          Json.object(
              "type",
              "Sequence",
              "normalizers",
              steps.stream().map(NormalizerJson::write).toList());
    };
  }
}
