package dev.sortie.nn.text;

import dev.sortie.nn.text.TokenDecoding.Replacement;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The small parts of {@code tokenizer.json}; what is not supported is refused by name. */
final class TokenizerJsonParts {
  private TokenizerJsonParts() {}

  static AddedToken addedToken(JsonValue v) {
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

  static Normalizer normalizer(JsonValue v) {
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
        v.only("type", "pattern", "content");
        return new Normalizer.Replace(literal(v.get("pattern")), v.get("content").string());
      case "Sequence":
        v.only("type", "normalizers");
        return new Normalizer.Sequence(
            v.get("normalizers").items().stream().map(TokenizerJsonParts::normalizer).toList());
      default:
        throw v.get("type").refuse("null, NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence");
    }
  }

  static PreTokenizer preTokenizer(JsonValue v) {
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
      case "Sequence":
        v.only("type", "pretokenizers");
        return new PreTokenizer.Sequence(
            v.get("pretokenizers").items().stream().map(TokenizerJsonParts::preTokenizer).toList());
      default:
        throw v.get("type").refuse("null, ByteLevel, Digits, Split, Metaspace, Sequence");
    }
  }

  /** Whether a step of {@code preTokenizer} makes the pieces bytes. */
  static boolean isByteLevel(PreTokenizer preTokenizer) {
    return switch (preTokenizer) {
      case PreTokenizer.ByteLevel level -> true;
      case PreTokenizer.Sequence sequence ->
          sequence.steps().stream().anyMatch(TokenizerJsonParts::isByteLevel);
      default -> false;
    };
  }

  private static PreTokenizer split(JsonValue v) {
    v.only("type", "pattern", "behavior", "invert");
    JsonValue regex = v.get("pattern").only("Regex").get("Regex");
    SplitPattern pattern =
        SplitPattern.of(regex.string())
            .orElseThrow(
                () ->
                    regex.refuse(
                        Arrays.stream(SplitPattern.values())
                            .map(p -> p + " " + p.regex())
                            .collect(Collectors.joining(", "))));
    // The known patterns match everywhere, so that "remove what does not match" removes nothing.
    String behavior = v.get("behavior").string();
    boolean invert = v.get("invert").bool(false);
    if (!(behavior.equals("Isolated") && !invert || behavior.equals("Removed") && invert)) {
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
  private static PreTokenizer.PrependScheme prependScheme(JsonValue v) {
    JsonValue scheme = v.get("prepend_scheme");
    if (scheme.isNull()) {
      return v.get("add_prefix_space").bool(true)
          ? PreTokenizer.PrependScheme.ALWAYS
          : PreTokenizer.PrependScheme.NEVER;
    }
    return switch (scheme.string()) {
      case "first" -> PreTokenizer.PrependScheme.FIRST;
      case "always" -> PreTokenizer.PrependScheme.ALWAYS;
      case "never" -> PreTokenizer.PrependScheme.NEVER;
      default -> throw scheme.refuse("first, always, never");
    };
  }

  static TokenDecoding decoding(JsonValue v) {
    if (v.isNull()) {
      throw v.refuse("ByteLevel, Metaspace, Sequence");
    }
    switch (v.get("type").string()) {
      case "ByteLevel":
        v.only("type", "add_prefix_space", "trim_offsets", "use_regex");
        return new TokenDecoding.ByteLevel();
      case "Metaspace":
        v.only("type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split");
        return new TokenDecoding.Metaspace(
            v.get("replacement").character(), prependScheme(v) != PreTokenizer.PrependScheme.NEVER);
      case "Sequence":
        v.only("type", "decoders");
        List<JsonValue> steps = v.get("decoders").items();
        return steps.size() == 1 && "ByteLevel".equals(steps.getFirst().get("type").value())
            ? decoding(steps.getFirst())
            : pieces(steps);
      default:
        throw v.get("type").refuse("ByteLevel, Metaspace, Sequence");
    }
  }

  /** Each step may come only after the ones before it, because their order changes the text. */
  private static TokenDecoding pieces(List<JsonValue> steps) {
    List<String> order = List.of("Replace", "ByteFallback", "Fuse", "Strip");
    List<Replacement> replacements = new ArrayList<>();
    boolean byteFallback = false;
    char strip = ' ';
    int stripStart = 0;
    int last = 0;
    boolean fused = false;
    for (JsonValue step : steps) {
      String type = step.get("type").string();
      int place = order.indexOf(type);
      if (place < last || place == last && place > 0 || place == 3 && !fused) {
        throw step.get("type").refuse("Replace (any number), ByteFallback, Fuse, Strip in order");
      }
      last = place;
      switch (type) {
        case "Replace" -> {
          step.only("type", "pattern", "content");
          replacements.add(
              new Replacement(literal(step.get("pattern")), step.get("content").string()));
        }
        case "ByteFallback" -> byteFallback = step.only("type").isObject();
        case "Fuse" -> fused = step.only("type").isObject();
        default -> {
          step.only("type", "content", "start", "stop");
          strip = step.get("content").character();
          stripStart = step.get("start").integer(0, 1 << 16);
          step.get("stop").integer(0, 0);
        }
      }
    }
    return new TokenDecoding.Pieces(replacements, byteFallback, strip, stripStart);
  }

  static Template template(JsonValue v) {
    if (v.isNull()) {
      return Template.NONE;
    }
    switch (v.get("type").string()) {
      case "ByteLevel":
        return Template.NONE; // It moves offsets only.
      case "TemplateProcessing":
        v.only("type", "single", "pair", "special_tokens");
        return single(v.get("single"), v.get("special_tokens"));
      case "Sequence":
        v.only("type", "processors");
        Template found = Template.NONE;
        for (JsonValue step : v.get("processors").items()) {
          Template next = template(step);
          if (found != Template.NONE && next != Template.NONE) {
            throw step.get("type").refuse("one TemplateProcessing in a Sequence");
          }
          found = next == Template.NONE ? found : next;
        }
        return found;
      default:
        throw v.get("type").refuse("null, ByteLevel, TemplateProcessing, Sequence");
    }
  }

  private static Template single(JsonValue single, JsonValue specials) {
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
    return new Template(prefix, suffix);
  }

  private static String literal(JsonValue pattern) {
    JsonValue text = pattern.only("String").get("String");
    if (text.string().isEmpty()) {
      throw text.refuse("a string of at least one character");
    }
    return text.string();
  }
}
