package dev.sortie.opencl;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Sizes that the macros of a family of kernels are set to; {@link Spaces} says what they mean.
 *
 * @param macros by name
 */
record Cut(SortedMap<String, Integer> macros) {
  Cut {
    macros = Collections.unmodifiableSortedMap(new TreeMap<>(macros));
  }

  Cut(Map<String, Integer> macros) {
    this(new TreeMap<>(macros));
  }

  int get(String macro) {
    Integer value = macros.get(macro);
    if (value == null) {
      throw new IllegalStateException("this cut has no " + macro + ": " + this);
    }
    return value;
  }

  /** As options of the compiler. */
  String options() {
    return macros.entrySet().stream()
        .map(e -> " -D" + e.getKey() + "=" + e.getValue())
        .collect(Collectors.joining());
  }

  /** {@code OUTPUTS=4 VW=16 WG=1}. */
  @Override
  public String toString() {
    return macros.entrySet().stream()
        .map(e -> e.getKey() + "=" + e.getValue())
        .collect(Collectors.joining(" "));
  }
}
