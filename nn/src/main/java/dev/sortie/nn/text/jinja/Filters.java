package dev.sortie.nn.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** The filters by name. */
final class Filters {
  /** What a filter does. */
  interface Filter {
    Object apply(RenderContext context, Object value, BoundArguments arguments);
  }

  private static final Map<String, Filter> ALL = all();

  private Filters() {}

  private static Map<String, Filter> all() {
    Map<String, Filter> all = new HashMap<>(TextFilters.ALL);
    all.putAll(NumberFilters.ALL);
    all.putAll(SequenceFilters.ALL);
    all.putAll(SelectFilters.ALL);
    return Map.copyOf(all);
  }

  static boolean isKnown(String name) {
    return ALL.containsKey(name);
  }

  static Object apply(RenderContext context, String name, Object value, BoundArguments arguments) {
    Filter filter = ALL.get(name);
    if (filter == null) {
      throw new ValueException(
          "the filter "
              + PythonText.quoted(name)
              + " is not supported in chat templates here; change or replace the template");
    }
    return filter.apply(context, value, arguments);
  }
}
