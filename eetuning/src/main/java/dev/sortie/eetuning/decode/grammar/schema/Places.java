package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.nn.json.JsonObject;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * All places of a schema, by the references that it has to its own parts.
 *
 * @param origin names it in messages
 * @param schema as it was read
 * @param prefix of the names of rules
 */
record Places(String origin, Object schema, String prefix) {
  private static final Pattern ENCODED = Pattern.compile("(?:%[0-9A-Fa-f]{2})++");

  Place root() {
    return new Place(this, null, "", schema);
  }

  /** What the reference of a schema means. */
  Place resolve(Place place) {
    if (!(place.object().fields().get("$ref") instanceof String ref)) {
      throw place.wrong("$ref", "a text such as #/$defs/name");
    }
    String pointer = decoded(ref);
    if (!pointer.equals("#") && !pointer.startsWith("#/")) {
      throw place.wrong("$ref", "a place in this schema, such as #/$defs/name");
    }
    Place at = root();
    for (String step :
        pointer.equals("#") ? List.<String>of() : List.of(pointer.substring(2).split("/", -1))) {
      String name = step.replace("~1", "/").replace("~0", "~");
      Object next =
          switch (at.schema()) {
            case JsonObject o -> o.fields().get(name);
            case List<?> list when name.matches("[0-9]{1,6}") ->
                Integer.parseInt(name) < list.size() ? list.get(Integer.parseInt(name)) : null;
            case null, default -> null;
          };
      if (next == null) {
        throw place.wrong("$ref", "a place that is there");
      }
      at = at.at(name, next);
    }
    return at;
  }

  /**
   * A reference is a fragment of a URI, in which characters may be percent-encoded (RFC 6901, 6).
   */
  private static String decoded(String ref) {
    return ENCODED
        .matcher(ref)
        .replaceAll(
            bytes ->
                Matcher.quoteReplacement(URLDecoder.decode(bytes.group(), StandardCharsets.UTF_8)));
  }
}
