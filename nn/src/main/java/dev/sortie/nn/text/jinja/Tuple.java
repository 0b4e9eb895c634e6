package dev.sortie.nn.text.jinja;

import java.util.Collections;
import java.util.List;

/** A tuple: like a list, but shown and compared apart from one. */
record Tuple(List<Object> items) {
  Tuple {
    items = Collections.unmodifiableList(items);
  }

  static Tuple pair(Object key, Object value) {
    return new Tuple(java.util.Arrays.asList(key, value));
  }
}
