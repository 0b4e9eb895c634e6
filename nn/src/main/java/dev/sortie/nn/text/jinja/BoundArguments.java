package dev.sortie.nn.text.jinja;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The arguments of one call. Callees take them in the order of their parameters, each by position
 * or by name, and say at the {@link #end} that nothing may be left.
 */
final class BoundArguments {
  private final String callee;
  private final List<Object> positional;
  private final Map<String, Object> named;
  private int next;

  BoundArguments(String callee, List<Object> positional, Map<String, Object> named) {
    this.callee = callee;
    this.positional = positional;
    this.named = new LinkedHashMap<>(named);
  }

  static BoundArguments none(String callee) {
    return new BoundArguments(callee, List.of(), Map.of());
  }

  String callee() {
    return callee;
  }

  boolean hasNext() {
    return next < positional.size();
  }

  boolean has(String name) {
    return hasNext() || named.containsKey(name);
  }

  Object optional(String name, Object fallback) {
    if (next < positional.size()) {
      return positional.get(next++);
    }
    return named.containsKey(name) ? named.remove(name) : fallback;
  }

  Object required(String name) {
    if (!has(name)) {
      throw new ValueException(callee + " lacks its argument '" + name + "'");
    }
    return optional(name, null);
  }

  /** A required argument that must be a string. */
  String string(String name) {
    return asString(name, required(name));
  }

  String string(String name, String fallback) {
    Object value = optional(name, null);
    return value == null ? fallback : asString(name, value);
  }

  private String asString(String name, Object value) {
    String text = Values.text(value);
    if (text == null) {
      throw wrong(name, value, "a string");
    }
    return text;
  }

  boolean truth(String name, boolean fallback) {
    return Values.truth(optional(name, fallback));
  }

  int integer(String name, int fallback) {
    Object value = optional(name, (long) fallback);
    if (value instanceof Long n && n == n.intValue()) {
      return n.intValue();
    }
    throw wrong(name, value, "an integer of 32 bits");
  }

  ValueException wrong(String name, Object value, String expected) {
    return new ValueException(
        "%s has %s for '%s', expected %s"
            .formatted(callee, Values.typeName(value), name, expected));
  }

  /** The arguments by position that are left. */
  List<Object> rest() {
    List<Object> rest = positional.subList(next, positional.size());
    next = positional.size();
    return rest;
  }

  /** The arguments by name that are left. */
  Map<String, Object> restNamed() {
    Map<String, Object> rest = new LinkedHashMap<>(named);
    named.clear();
    return rest;
  }

  void end() {
    if (next < positional.size()) {
      throw new ValueException(callee + " has too many arguments: " + positional.size());
    }
    if (!named.isEmpty()) {
      throw new ValueException(
          callee + " has the unknown argument '" + named.keySet().iterator().next() + "'");
    }
  }
}
