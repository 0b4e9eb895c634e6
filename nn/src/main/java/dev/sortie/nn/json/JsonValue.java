package dev.sortie.nn.json;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A value of a JSON document together with where it stands, for documents whose form is refused
 * value by value. A {@link JsonObject} refuses field by field.
 *
 * @param file the document
 * @param path the field, such as {@code decoder.decoders[1].type}
 * @param value a value as {@link Json} has them, {@link #NULL} for null; null if absent
 */
public record JsonValue(String file, String path, Object value) {
  /** The JSON value null, which is not the same as an absent one. */
  public static final Object NULL =
      new Object() {
        @Override
        public String toString() {
          return "null";
        }
      };

  /** The value in a file. */
  public static JsonValue read(Path file, JsonLimits limits) {
    return JsonCursor.read(file, limits, json -> json.value(""));
  }

  /** Whether it is null or absent. */
  public boolean isNull() {
    return value == null || value == NULL;
  }

  /** Whether it is an object. */
  public boolean isObject() {
    return value instanceof JsonObject;
  }

  /** Whether it is a list. */
  public boolean isList() {
    return value instanceof List<?>;
  }

  /** The member {@code key}; its value is null if it is absent. */
  public JsonValue get(String key) {
    JsonObject object = object();
    Object member = object.fields().get(key);
    return new JsonValue(
        file,
        path.isEmpty() ? key : path + "." + key,
        member == null && object.contains(key) ? NULL : member);
  }

  /** The members of an object in the order of the document. */
  public Map<String, JsonValue> members() {
    Map<String, JsonValue> members = new LinkedHashMap<>();
    object().fields().keySet().forEach(key -> members.put(key, get(key)));
    return members;
  }

  private JsonObject object() {
    if (value instanceof JsonObject object) {
      return object;
    }
    throw refuse("an object");
  }

  /** The items of a list. */
  public List<JsonValue> items() {
    if (!(value instanceof List<?> list)) {
      throw refuse("a list");
    }
    List<JsonValue> items = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      Object item = list.get(i);
      items.add(new JsonValue(file, path + "[" + i + "]", item == null ? NULL : item));
    }
    return items;
  }

  /** A string. */
  public String string() {
    if (value instanceof String s) {
      return s;
    }
    throw refuse("a string");
  }

  /** A string of exactly one UTF-16 unit. */
  public char character() {
    if (value instanceof String s && s.length() == 1) {
      return s.charAt(0);
    }
    throw refuse("one character");
  }

  /** True or false, or {@code absent} where there is no value. */
  public boolean bool(boolean absent) {
    if (value == null) {
      return absent;
    }
    if (value instanceof Boolean b) {
      return b;
    }
    throw refuse("true or false");
  }

  /** An integer in {@code [min, max]}. */
  public int integer(int min, int max) {
    if (value instanceof Long n && n >= min && n <= max) {
      return n.intValue();
    }
    throw refuse("an integer from " + min + " to " + max);
  }

  /** Refuses members that this reader does not know: they might change what the file means. */
  public JsonValue only(String... keys) {
    Set<String> known = Set.of(keys);
    members().forEach((key, member) -> member.requireKnown(known.contains(key)));
    return this;
  }

  /** Refuses the field that has this value unless it is {@code known}. */
  public void requireKnown(boolean known) {
    if (!known) {
      throw refuse("nothing: the field is unknown here");
    }
  }

  /** An error that names file, field, value and what would do. */
  public InputException refuse(String supported) {
    String found =
        value == null ? "absent" : value instanceof String s ? Printable.quoted(s) : brief();
    return new InputException(
        file
            + ": "
            + (path.isEmpty() ? "the value" : Printable.line(path, 200))
            + " is "
            + found
            + "; supported: "
            + supported);
  }

  private String brief() {
    return Printable.line(value.toString().replaceAll("\\s+", " "), 200);
  }
}
