package dev.sortie.nn.text.format;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonValue;
import java.util.Map;

/** What the components of {@code tokenizer.json} have in common. */
final class ComponentJson {
  private ComponentJson() {}

  /** Steps of a chain. Real files have a dozen; each one looks at the whole text. */
  private static final int MAX_STEPS = 256;

  /** Refuses the steps of a field where there are too many; steps in steps count too. */
  static void requireFew(JsonValue list, int count) {
    if (count > MAX_STEPS) {
      throw new InputException(
          "%s: %s has %d steps, at most %d are supported"
              .formatted(list.file(), list.path(), count, MAX_STEPS));
    }
  }

  /** A pattern that is a string of at least one character. */
  static String literal(JsonValue pattern) {
    JsonValue text = pattern.only("String").get("String");
    if (text.string().isEmpty()) {
      throw text.refuse("a string of at least one character");
    }
    return text.string();
  }

  /** A replacement of a pattern; {@code kind} is String or Regex. */
  static Map<String, Object> replacement(String kind, String pattern, String content) {
    return Json.object("type", "Replace", "pattern", Map.of(kind, pattern), "content", content);
  }

  static Map<String, Object> byteLevel(boolean addPrefixSpace, boolean useRegex) {
    return Json.object(
        "type",
        "ByteLevel",
        "add_prefix_space",
        addPrefixSpace,
        "trim_offsets",
        true,
        "use_regex",
        useRegex);
  }
}
