package dev.sortie.nn.text.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** A namespace: the one value whose attributes a template may set. */
final class Namespace {
  private final Map<String, Object> attributes = new LinkedHashMap<>();

  void set(String name, Object value) {
    if (name.startsWith("_")) {
      throw new ValueException(
          "a namespace takes no attribute that begins with '_', such as "
              + PythonText.quoted(name));
    }
    attributes.put(name, value);
  }

  boolean has(String name) {
    return attributes.containsKey(name);
  }

  Object get(String name) {
    return attributes.get(name);
  }
}
