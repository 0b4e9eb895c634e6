package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Filters.Filter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters that look at each item: map, select, reject and the same by an attribute. */
final class SelectFilters {
  static final Map<String, Filter> ALL =
      Map.of(
          "map", SelectFilters::map,
          "select", (run, v, a) -> select(run, v, a, true, false),
          "reject", (run, v, a) -> select(run, v, a, false, false),
          "selectattr", (run, v, a) -> select(run, v, a, true, true),
          "rejectattr", (run, v, a) -> select(run, v, a, false, true));

  private SelectFilters() {}

  private static Object map(Run run, Object value, Arguments arguments) {
    List<Object> mapped = new ArrayList<>();
    if (!arguments.hasNext() && arguments.has("attribute")) {
      AttributePath path = AttributePath.of(arguments.required("attribute"));
      Object fallback = arguments.optional("default", null);
      arguments.end();
      for (Object item : items(run, value)) {
        mapped.add(path.get(item, fallback, run));
      }
      return new OneShot(mapped);
    }
    String name = arguments.string("name");
    List<Object> rest = arguments.rest();
    Map<String, Object> named = arguments.restNamed();
    for (Object item : items(run, value)) {
      mapped.add(Filters.apply(run, name, item, new Arguments("map", rest, named)));
    }
    return new OneShot(mapped);
  }

  /** What is empty or none has no items here. */
  private static List<Object> items(Run run, Object value) {
    return Values.truth(value) ? Values.items(value, run.budget()) : List.of();
  }

  private static Object select(
      Run run, Object value, Arguments arguments, boolean wanted, boolean byAttribute) {
    AttributePath path = byAttribute ? AttributePath.of(arguments.required("attribute")) : null;
    String test = arguments.hasNext() ? arguments.string("test") : null;
    List<Object> rest = arguments.rest();
    Map<String, Object> named = arguments.restNamed();
    List<Object> selected = new ArrayList<>();
    for (Object item : items(run, value)) {
      Object looked = byAttribute ? path.get(item, run) : item;
      boolean holds =
          test == null
              ? Values.truth(looked)
              : Tests.holds(run, test, looked, new Arguments(test, rest, named));
      if (holds == wanted) {
        selected.add(item);
      }
    }
    return new OneShot(selected);
  }
}
