package dev.sortie.eetuning.serve.api;

import dev.sortie.nn.InputException;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The fields of a request. Each is honoured, which means that somebody has asked for it here;
 * refused by name; or accepted without effect: these are the fields that nobody has asked for, and
 * {@link #ignored} lists them. A field that is null is absent.
 */
final class RequestFields {
  private final JsonObject object;
  private final String prefix;
  private final Set<String> asked = new HashSet<>();
  private final List<RequestFields> nested = new ArrayList<>();

  /** Fields that were read and have no effect. */
  private final List<String> noEffect = new ArrayList<>();

  RequestFields(JsonObject object) {
    this(object, "");
  }

  private RequestFields(JsonObject object, String prefix) {
    this.object = object;
    this.prefix = prefix;
  }

  boolean has(String name) {
    asked.add(name);
    return object.has(name);
  }

  /** Of all fields, in their order; nobody has asked for them by this. */
  Set<String> names() {
    return object.fields().keySet();
  }

  Optional<String> string(String name) {
    return get(name, () -> object.getString(name));
  }

  /** An integer; one that is out of bounds is refused in the words of the OpenAI API. */
  OptionalInt integer(String name, int min, int max) {
    if (raw(name) instanceof Long n && (n < min || n > max)) {
      throw ApiError.outOfBounds(prefix + name, n, min, max);
    }
    Optional<Integer> found = get(name, () -> object.getInt(name, min, max));
    return found.isPresent() ? OptionalInt.of(found.get()) : OptionalInt.empty();
  }

  OptionalLong longInteger(String name) {
    Optional<Long> found = get(name, () -> object.getLong(name, Long.MIN_VALUE, Long.MAX_VALUE));
    return found.isPresent() ? OptionalLong.of(found.get()) : OptionalLong.empty();
  }

  OptionalDouble number(String name, double min, double max) {
    Optional<Double> found = get(name, () -> object.getDouble(name, min, max));
    return found.isPresent() ? OptionalDouble.of(found.get()) : OptionalDouble.empty();
  }

  boolean flag(String name) {
    return flag(name, false);
  }

  boolean flag(String name, boolean usual) {
    return get(name, () -> object.getBoolean(name)).orElse(usual);
  }

  /** The field as it was read: a string, a number, a list, an object; null where it is absent. */
  Object raw(String name) {
    asked.add(name);
    return object.fields().get(name);
  }

  Optional<JsonObject> object(String name) {
    return get(name, () -> object.getObject(name));
  }

  Optional<List<JsonObject>> objects(String name) {
    return get(name, () -> object.getObjects(name));
  }

  /** The fields of an object, of which those without effect are listed too. */
  Optional<RequestFields> fields(String name) {
    Optional<RequestFields> found =
        object(name).map(o -> new RequestFields(o, prefix + name + "."));
    found.ifPresent(nested::add);
    return found;
  }

  /** A string, or a list of strings; an empty list where it is absent. */
  List<String> strings(String name, int most) {
    Object found = raw(name);
    List<String> strings =
        switch (found) {
          case null -> List.of();
          case String s -> List.of(s);
          default -> get(name, () -> object.getStrings(name)).orElseThrow();
        };
    if (strings.size() > most) {
      throw wrong(name, "at most " + most + " strings");
    }
    return strings;
  }

  /** Refuses a field that would change the answer and cannot be honoured. */
  void refuse(String name, String reason) {
    if (has(name)) {
      throw ApiError.unsupported(prefix + name, prefix + name + ": " + reason);
    }
  }

  /** The error for a field that is not as it should be. */
  ApiError wrong(String name, String expected) {
    return ApiError.invalid(
        prefix + name,
        "%s is %s, expected %s"
            .formatted(prefix + name, Json.shown(object.fields().get(name)), expected));
  }

  /** The error for a field that must be there. */
  ApiError missing(String name, String expected) {
    return ApiError.invalid(prefix + name, prefix + name + " is missing; give " + expected);
  }

  /** Notes a field that was read and turned out to have no effect here. */
  void ignore(String path) {
    noEffect.add(path);
  }

  /** Fields that are there without effect. */
  List<String> ignored() {
    List<String> ignored = new ArrayList<>();
    for (String name : object.fields().keySet()) {
      if (object.has(name) && !asked.contains(name)) {
        ignored.add(prefix + name);
      }
    }
    ignored.addAll(noEffect);
    nested.forEach(n -> ignored.addAll(n.ignored()));
    return ignored;
  }

  private <T> Optional<T> get(String name, Supplier<T> accessor) {
    if (!has(name)) {
      return Optional.empty();
    }
    try {
      return Optional.of(accessor.get());
    } catch (InputException e) {
      throw ApiError.invalid(prefix + name, e.getMessage());
    }
  }
}
