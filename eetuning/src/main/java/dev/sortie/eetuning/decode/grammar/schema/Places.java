package dev.sortie.eetuning.decode.grammar.schema;

import dev.sortie.nn.json.JsonObject;
import java.util.List;

/**
 * All places of a schema, by the references that it has to its own parts.
 *
 * @param origin names it in messages
 * @param schema as it was read
 * @param prefix of the names of rules
 */
record Places(String origin, Object schema, String prefix) {

  Place root() {
    return new Place(this, null, "", schema);
  }

  /** What the reference of a schema means. */
  Place resolve(Place place) {
    if (!(place.object().fields().get("$ref") instanceof String ref)) {
      throw place.wrong("$ref", "a text such as #/$defs/name");
    }
    if (!ref.equals("#") && !ref.startsWith("#/")) {
      throw place.wrong("$ref", "a place in this schema, such as #/$defs/name");
    }
    Place at = root();
    for (String step :
        ref.equals("#") ? List.<String>of() : List.of(ref.substring(2).split("/", -1))) {
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
}
