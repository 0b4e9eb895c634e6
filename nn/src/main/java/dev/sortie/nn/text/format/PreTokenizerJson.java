package dev.sortie.nn.text.format;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonValue;
import dev.sortie.nn.text.stage.PreTokenizer;
import dev.sortie.nn.text.stage.PreTokenizer.PrependScheme;
import dev.sortie.nn.text.stage.SplitBehavior;
import dev.sortie.nn.text.stage.SplitPattern;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The field {@code pre_tokenizer} of {@code tokenizer.json}. */
final class PreTokenizerJson {
  private static final String KNOWN =
      "null, ByteLevel, Digits, Split, Metaspace, Punctuation, Whitespace, WhitespaceSplit, CharDelimiterSplit, Sequence";

  private PreTokenizerJson() {}

  static PreTokenizer read(JsonValue v) {
    if (v.isNull()) {
      return new PreTokenizer.None();
    }
    switch (v.get("type").string()) {
      case "ByteLevel":
        v.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        return new PreTokenizer.ByteLevel(
            v.get("add_prefix_space").bool(true), v.get("use_regex").bool(true));
      case "Digits":
        v.only("type", "individual_digits");
        return new PreTokenizer.Digits(v.get("individual_digits").bool(false));
      case "Split":
        return split(v);
      case "Metaspace":
        return metaspace(v);
      case "Punctuation":
        v.only("type", "behavior");
        return new PreTokenizer.Punctuation(behavior(v.get("behavior")));
      case "Whitespace":
        v.only("type");
        return new PreTokenizer.Whitespace();
      case "WhitespaceSplit":
        v.only("type");
        return new PreTokenizer.WhitespaceSplit();
      case "CharDelimiterSplit":
        v.only("type", "delimiter");
        return new PreTokenizer.Delimiter(
            String.valueOf(v.get("delimiter").character()), SplitBehavior.REMOVED, false);
      case "Sequence":
        return sequence(v);
      default:
        throw v.get("type").refuse(KNOWN);
    }
  }

  /** What cuts after ByteLevel would see bytes, but pieces here stay characters. */
  private static PreTokenizer sequence(JsonValue v) {
    v.only("type", "pretokenizers");
    List<JsonValue> items = v.get("pretokenizers").items();
    ComponentJson.requireFew(v.get("pretokenizers"), items.size());
    List<PreTokenizer> steps = items.stream().map(PreTokenizerJson::read).toList();
    for (int i = 0; i + 1 < steps.size(); i++) {
      if (isByteLevel(steps.get(i))) {
        throw items.get(i).get("type").refuse("ByteLevel as the last step only");
      }
    }
    PreTokenizer.Sequence sequence = new PreTokenizer.Sequence(steps);
    ComponentJson.requireFew(v.get("pretokenizers"), sequence.steps().size());
    return sequence;
  }

  /** Whether a step of {@code preTokenizer} makes the pieces bytes. */
  static boolean isByteLevel(PreTokenizer preTokenizer) {
    return switch (preTokenizer) {
      case PreTokenizer.ByteLevel level -> true;
      case PreTokenizer.Sequence sequence ->
          sequence.steps().stream().anyMatch(PreTokenizerJson::isByteLevel);
      default -> false;
    };
  }

  private static SplitBehavior behavior(JsonValue v) {
    if (v.value() == null) {
      return SplitBehavior.ISOLATED;
    }
    return Arrays.stream(SplitBehavior.values())
        .filter(b -> b.word().equals(v.string()))
        .findFirst()
        .orElseThrow(
            () ->
                v.refuse(
                    Arrays.stream(SplitBehavior.values())
                        .map(SplitBehavior::word)
                        .collect(Collectors.joining(", "))));
  }

  private static PreTokenizer split(JsonValue v) {
    v.only("type", "pattern", "behavior", "invert");
    JsonValue regex = v.get("pattern").only("String", "Regex").get("Regex");
    SplitBehavior behavior = behavior(v.get("behavior"));
    boolean invert = v.get("invert").bool(false);
    if (regex.isNull()) {
      return new PreTokenizer.Delimiter(ComponentJson.literal(v.get("pattern")), behavior, invert);
    }
    SplitPattern pattern =
        SplitPattern.of(regex.string())
            .orElseThrow(
                () ->
                    regex.refuse(
                        Arrays.stream(SplitPattern.values())
                            .map(p -> p + " " + p.regex())
                            .collect(Collectors.joining(", "))));
    // The known patterns match everywhere, so that "remove what does not match" removes nothing.
    if (!(behavior == SplitBehavior.ISOLATED && !invert
        || behavior == SplitBehavior.REMOVED && invert)) {
      throw v.get("behavior").refuse("Isolated with invert false, or Removed with invert true");
    }
    return new PreTokenizer.Split(pattern);
  }

  private static PreTokenizer metaspace(JsonValue v) {
    v.only("type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split");
    return new PreTokenizer.Metaspace(
        v.get("replacement").character(), prependScheme(v), v.get("split").bool(true));
  }

  /** Files written before prepend_scheme existed say add_prefix_space. */
  static PrependScheme prependScheme(JsonValue v) {
    JsonValue scheme = v.get("prepend_scheme");
    if (scheme.isNull()) {
      return v.get("add_prefix_space").bool(true) ? PrependScheme.ALWAYS : PrependScheme.NEVER;
    }
    return switch (scheme.string()) {
      case "first" -> PrependScheme.FIRST;
      case "always" -> PrependScheme.ALWAYS;
      case "never" -> PrependScheme.NEVER;
      default -> throw scheme.refuse("first, always, never");
    };
  }

  /** The field's value. */
  static Map<String, Object> write(PreTokenizer preTokenizer) {
    return switch (preTokenizer) {
      case PreTokenizer.None() -> null;
      case PreTokenizer.ByteLevel(boolean addPrefixSpace, boolean useRegex) ->
          ComponentJson.byteLevel(addPrefixSpace, useRegex);
      case PreTokenizer.Split(SplitPattern pattern) ->
          split("Regex", pattern.regex(), SplitBehavior.ISOLATED, false);
      case PreTokenizer.Delimiter(String delimiter, SplitBehavior behavior, boolean invert) ->
          split("String", delimiter, behavior, invert);
      case PreTokenizer.Punctuation(SplitBehavior behavior) ->
          Json.object("type", "Punctuation", "behavior", behavior.word());
      case PreTokenizer.Whitespace() -> Json.object("type", "Whitespace");
      case PreTokenizer.WhitespaceSplit() -> Json.object("type", "WhitespaceSplit");
      case PreTokenizer.Digits(boolean individual) ->
          Json.object("type", "Digits", "individual_digits", individual);
      case PreTokenizer.Metaspace(char replacement, var prepend, boolean split) ->
          Json.object(
              "type",
              "Metaspace",
              "replacement",
              String.valueOf(replacement),
              "prepend_scheme",
              scheme(prepend),
              "split",
              split);
      case PreTokenizer.Sequence(List<PreTokenizer> steps) ->
          Json.object(
              "type",
              "Sequence",
              "pretokenizers",
              steps.stream().map(PreTokenizerJson::write).toList());
    };
  }

  private static Map<String, Object> split(
      String kind, String pattern, SplitBehavior behavior, boolean invert) {
    return Json.object(
        "type",
        "Split",
        "pattern",
        Map.of(kind, pattern),
        "behavior",
        behavior.word(),
        "invert",
        invert);
  }

  private static String scheme(PrependScheme scheme) {
    return switch (scheme) {
      case FIRST -> "first";
      case ALWAYS -> "always";
      case NEVER -> "never";
    };
  }
}
