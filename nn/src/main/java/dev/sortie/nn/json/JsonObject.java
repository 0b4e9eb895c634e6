package dev.sortie.nn.json;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Printable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A JSON object whose accessors check type and range. A failure is an {@link InputException} that
 * names the file, the field, what was found and what is allowed.
 */
public final class JsonObject {
  private final String origin;
  private final String path;
  private final SequencedMap<String, Object> fields;

  JsonObject(String origin, String path, SequencedMap<String, Object> fields) {
    this.origin = origin;
    this.path = path;
    this.fields = Collections.unmodifiableSequencedMap(fields);
  }

  /** The file, for messages. */
  public String origin() {
    return origin;
  }

  /** All fields as read, in the order of the file. */
  public SequencedMap<String, Object> fields() {
    return fields;
  }

  /** Whether the field is there, be it {@code null}. */
  public boolean contains(String name) {
    return fields.containsKey(name);
  }

  /** Whether the field is there and not {@code null}. */
  public boolean has(String name) {
    return fields.get(name) != null;
  }

  /** An integer in {@code [min, max]}; 3.0 and 3e0 are not integers. */
  public int getInt(String name, int min, int max) {
    return (int) getLong(name, min, max);
  }

  /** An integer in {@code [min, max]}; 3.0 and 3e0 are not integers. */
  public long getLong(String name, long min, long max) {
    Object found = fields.get(name);
    if (isInteger(found, min, max)) {
      return (Long) found;
    }
    throw error(name, integers(min, max));
  }

  /** A number in {@code [min, max]}, written as an integer or not. */
  public double getDouble(String name, double min, double max) {
    if (isNumber(fields.get(name), min, max)) {
      return ((Number) fields.get(name)).doubleValue();
    }
    throw error(name, numbers(min, max));
  }

  private static boolean isNumber(Object value, double min, double max) {
    return value instanceof Number n && n.doubleValue() >= min && n.doubleValue() <= max;
  }

  private static String numbers(double min, double max) {
    return "a number from " + min + " to " + max;
  }

  /** A string. */
  public String getString(String name) {
    return typed(name, String.class, "a string");
  }

  /** A string that is one of {@code allowed}. */
  public String getString(String name, Set<String> allowed) {
    if (fields.get(name) instanceof String s && allowed.contains(s)) {
      return s;
    }
    throw error(name, "one of " + allowed.stream().sorted().toList());
  }

  /** True or false. */
  public boolean getBoolean(String name) {
    return typed(name, Boolean.class, "true or false");
  }

  /** True or false, or {@code fallback} where the field is missing or {@code null}. */
  public boolean getBoolean(String name, boolean fallback) {
    return has(name) ? getBoolean(name) : fallback;
  }

  /** An object. */
  public JsonObject getObject(String name) {
    return typed(name, JsonObject.class, "an object");
  }

  /** A list of anything. */
  public List<?> getList(String name) {
    return typed(name, List.class, "a list");
  }

  /** A list of integers in {@code [min, max]}. */
  public List<Integer> getInts(String name, int min, int max) {
    return items(name, v -> isInteger(v, min, max), v -> ((Long) v).intValue(), integers(min, max));
  }

  /** A list of numbers in {@code [min, max]}, written as integers or not. */
  public List<Double> getDoubles(String name, double min, double max) {
    return items(
        name, v -> isNumber(v, min, max), v -> ((Number) v).doubleValue(), numbers(min, max));
  }

  /** A list of strings. */
  public List<String> getStrings(String name) {
    return items(name, String.class, "a string");
  }

  /** A list of objects. */
  public List<JsonObject> getObjects(String name) {
    return items(name, JsonObject.class, "an object");
  }

  /** An accessor's value, or nothing where the field is missing or {@code null}. */
  public <T> Optional<T> optional(String name, Function<String, T> accessor) {
    return has(name) ? Optional.of(accessor.apply(name)) : Optional.empty();
  }

  /** Fails if a field is not one of {@code known}. */
  public void refuseUnknown(Set<String> known) {
    for (String name : fields.keySet()) {
      if (!known.contains(name)) {
        throw new InputException(
            "%s: unknown field \"%s\", allowed are %s; remove it"
                .formatted(origin, field(name), known.stream().sorted().toList()));
      }
    }
  }

  /** The error for a field that is not as it should be; {@code expected} says what is allowed. */
  public InputException error(String name, String expected) {
    return contains(name)
        ? wrong(name, fields.get(name), expected)
        : new InputException(
            "%s: field \"%s\" is missing, expected %s".formatted(origin, field(name), expected));
  }

  @Override
  public String toString() {
    return fields.toString();
  }

  private InputException wrong(String name, Object found, String expected) {
    return new InputException(
        "%s: field \"%s\" is %s, expected %s"
            .formatted(origin, field(name), Json.shown(found), expected));
  }

  private String field(String name) {
    return Printable.line(path.isEmpty() ? name : path + "." + name);
  }

  private static boolean isInteger(Object found, long min, long max) {
    return found instanceof Long value && value >= min && value <= max;
  }

  private static String integers(long min, long max) {
    return "an integer from " + min + " to " + max;
  }

  private <T> T typed(String name, Class<T> type, String expected) {
    Object found = fields.get(name);
    if (!type.isInstance(found)) {
      throw error(name, expected);
    }
    return type.cast(found);
  }

  private <T> List<T> items(String name, Class<T> type, String expected) {
    return items(name, type::isInstance, type::cast, expected);
  }

  private <T> List<T> items(
      String name, Predicate<Object> fits, Function<Object, T> value, String expected) {
    List<?> list = getList(name);
    List<T> out = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      if (!fits.test(list.get(i))) {
        throw wrong(name + "[" + i + "]", list.get(i), expected);
      }
      out.add(value.apply(list.get(i)));
    }
    return List.copyOf(out);
  }
}
