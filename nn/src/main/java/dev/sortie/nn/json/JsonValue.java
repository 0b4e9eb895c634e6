package dev.sortie.nn.json;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A value of a JSON file together with where it stands, so that an error can name file, field and
 * value.
 *
 * @param file the file
 * @param path the field, such as {@code decoder.decoders[1].type}
 * @param value a Map, List, String, BigInteger, Double, Boolean or {@link #NULL}; null if absent
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

  public boolean isNull() {
    return value == null || value == NULL;
  }

  boolean isString() {
    return value instanceof String;
  }

  public boolean isObject() {
    return value instanceof Map<?, ?>;
  }

  public boolean isList() {
    return value instanceof List<?>;
  }

  /** The member {@code key}; its value is null if it is absent. */
  public JsonValue get(String key) {
    if (!(value instanceof Map<?, ?> map)) {
      throw refuse("an object");
    }
    return new JsonValue(file, path.isEmpty() ? key : path + "." + key, map.get(key));
  }

  public Map<String, JsonValue> members() {
    if (!(value instanceof Map<?, ?> map)) {
      throw refuse("an object");
    }
    Map<String, JsonValue> members = new LinkedHashMap<>();
    map.keySet().forEach(key -> members.put((String) key, get((String) key)));
    return members;
  }

  public List<JsonValue> items() {
    if (!(value instanceof List<?> list)) {
      throw refuse("a list");
    }
    List<JsonValue> items = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      items.add(new JsonValue(file, path + "[" + i + "]", list.get(i)));
    }
    return items;
  }

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

  public boolean bool(boolean absent) {
    if (value == null) {
      return absent;
    }
    if (value instanceof Boolean b) {
      return b;
    }
    throw refuse("true or false");
  }

  public int integer(int min, int max) {
    if (value instanceof BigInteger n
        && n.compareTo(BigInteger.valueOf(min)) >= 0
        && n.compareTo(BigInteger.valueOf(max)) <= 0) {
      return n.intValue();
    }
    throw refuse("an integer from " + min + " to " + max);
  }

  /** Refuses members that this reader does not know: they might change what the file means. */
  public JsonValue only(String... keys) {
    Set<String> known = Set.of(keys);
    members()
        .forEach(
            (key, member) -> {
              if (!known.contains(key)) {
                throw member.refuse("nothing: the field is unknown here");
              }
            });
    return this;
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
