package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Filters.Filter;
import dev.sortie.nn.text.jinja.TemplateValue.Generator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters that look at each item: map, select, reject and the same by an attribute. */
final class SelectFilters {
  static final Map<String, Filter> ALL =
      Map.of(
          "map", SelectFilters::map,
          "select", (context, v, a) -> select(context, v, a, true, false),
          "reject", (context, v, a) -> select(context, v, a, false, false),
          "selectattr", (context, v, a) -> select(context, v, a, true, true),
          "rejectattr", (context, v, a) -> select(context, v, a, false, true));

  private SelectFilters() {}

  private static Object map(RenderContext context, Object value, BoundArguments arguments) {
    List<Object> mapped = new ArrayList<>();
    if (!arguments.hasNext() && arguments.has("attribute")) {
      AttributePath path = AttributePath.of(arguments.required("attribute"), context);
      Object fallback = arguments.optional("default", null);
      arguments.end();
      for (Object item : items(context, value)) {
        mapped.add(path.get(item, fallback, context));
      }
      return new Generator(mapped);
    }
    String name = arguments.string("name");
    List<Object> rest = arguments.rest();
    Map<String, Object> named = arguments.restNamed();
    for (Object item : items(context, value)) {
      mapped.add(Filters.apply(context, name, item, new BoundArguments("map", rest, named)));
    }
    return new Generator(mapped);
  }

  /** What is empty or none has no items here. */
  private static List<Object> items(RenderContext context, Object value) {
    List<Object> items = Values.truth(value) ? Values.items(value, context.budget()) : List.of();
    context.budget().items(items.size());
    return items;
  }

  private static Object select(
      RenderContext context,
      Object value,
      BoundArguments arguments,
      boolean wanted,
      boolean byAttribute) {
    AttributePath path =
        byAttribute ? AttributePath.of(arguments.required("attribute"), context) : null;
    String test = arguments.hasNext() ? arguments.string("test") : null;
    List<Object> rest = arguments.rest();
    Map<String, Object> named = arguments.restNamed();
    List<Object> selected = new ArrayList<>();
    for (Object item : items(context, value)) {
      Object looked = byAttribute ? path.get(item, context) : item;
      boolean holds =
          test == null
              ? Values.truth(looked)
              : Tests.holds(context, test, looked, new BoundArguments(test, rest, named));
      if (holds == wanted) {
        selected.add(item);
      }
    }
    return new Generator(selected);
  }
}
