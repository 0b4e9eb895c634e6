package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Filters.Filter;
import dev.sortie.nn.text.jinja.TemplateValue.Generator;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Filters on sequences and dicts as wholes. */
final class SequenceFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          Map.entry("default", SequenceFilters::fallback),
          Map.entry("d", SequenceFilters::fallback),
          Map.entry("length", SequenceFilters::length),
          Map.entry("count", SequenceFilters::length),
          Map.entry("list", SequenceFilters::list),
          Map.entry("items", SequenceFilters::items),
          Map.entry("first", SequenceFilters::first),
          Map.entry("last", SequenceFilters::last),
          Map.entry("reverse", SequenceFilters::reverse),
          Map.entry("sort", SequenceFilters::sort),
          Map.entry("dictsort", SequenceFilters::dictsort),
          Map.entry("unique", SequenceFilters::unique),
          Map.entry("min", (context, v, a) -> extreme(context, v, a, -1)),
          Map.entry("max", (context, v, a) -> extreme(context, v, a, 1)),
          Map.entry("sum", SequenceFilters::sum));

  private SequenceFilters() {}

  private static Object fallback(RenderContext context, Object value, BoundArguments arguments) {
    Object other = arguments.optional("default_value", "");
    boolean falsy = arguments.truth("boolean", false);
    arguments.end();
    return value instanceof Undefined || falsy && !Values.truth(value) ? other : value;
  }

  private static Object length(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    String text = Values.text(value);
    context.budget().look(text == null ? 0 : text.length());
    int length = Values.length(value);
    if (length < 0) {
      throw new ValueException(Values.typeName(value) + " has no length");
    }
    return (long) length;
  }

  private static Object list(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    return copy(value, context);
  }

  private static List<Object> copy(Object value, RenderContext context) {
    List<Object> items = Values.items(value, context.budget());
    context.budget().items(items.size());
    return new ArrayList<>(items);
  }

  private static Object items(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    if (value instanceof Undefined) {
      return new Generator(List.of());
    }
    return new Generator(DictMethods.items(map(context, value, "items")));
  }

  private static Map<?, ?> map(RenderContext context, Object value, String filter) {
    if (value instanceof Map<?, ?> map) {
      context.budget().items(2L * map.size());
      return map;
    }
    throw value instanceof Undefined u
        ? u.failure()
        : new ValueException(
            "the filter '" + filter + "' takes a dict, not " + Values.typeName(value));
  }

  private static Object first(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    if (value instanceof Generator generator && !generator.isEmpty()) {
      return generator.takeFirst();
    }
    List<Object> items = Values.items(value, context.budget());
    return items.isEmpty()
        ? new Undefined("there is no first item, the sequence is empty")
        : items.getFirst();
  }

  private static Object last(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    if (value instanceof Generator) {
      throw new ValueException("a generator has no last item; pass it through 'list' first");
    }
    List<Object> items = Values.items(value, context.budget());
    return items.isEmpty()
        ? new Undefined("there is no last item, the sequence is empty")
        : items.getLast();
  }

  private static Object reverse(RenderContext context, Object value, BoundArguments arguments) {
    arguments.end();
    String text = Values.text(value);
    if (text != null) {
      return context.budget().made(new StringBuilder(text).reverse().toString());
    }
    List<Object> items = copy(value, context);
    Collections.reverse(items);
    return new Generator(items);
  }

  private static Object withoutCase(Object value, RenderContext context) {
    String text = Values.text(value);
    return text == null ? value : context.budget().made(PythonCase.lower(text));
  }

  private static Object sort(RenderContext context, Object value, BoundArguments arguments) {
    boolean reverse = arguments.truth("reverse", false);
    boolean cased = arguments.truth("case_sensitive", false);
    Object attribute = arguments.optional("attribute", null);
    arguments.end();
    if (Values.text(attribute) != null && Values.text(attribute).contains(",")) {
      throw new ValueException("'sort' by several attributes is not supported");
    }
    List<Object> sorted = copy(value, context);
    sort(sorted, attribute, cased, reverse, context);
    return sorted;
  }

  private static void sort(
      List<Object> items, Object attribute, boolean cased, boolean reverse, RenderContext context) {
    Comparator<Object> order = order(attribute, cased, context);
    items.sort(reverse ? order.reversed() : order);
  }

  private static Comparator<Object> order(Object attribute, boolean cased, RenderContext context) {
    return (a, b) ->
        Comparing.compare(
            key(a, attribute, cased, context), key(b, attribute, cased, context), context.budget());
  }

  private static Object key(Object item, Object attribute, boolean cased, RenderContext context) {
    Object key = attribute == null ? item : AttributePath.of(attribute, context).get(item, context);
    return cased ? key : withoutCase(key, context);
  }

  private static Object dictsort(RenderContext context, Object value, BoundArguments arguments) {
    boolean cased = arguments.truth("case_sensitive", false);
    String by = arguments.string("by", "key");
    boolean reverse = arguments.truth("reverse", false);
    arguments.end();
    if (!by.equals("key") && !by.equals("value")) {
      throw new ValueException("'dictsort' sorts by key or by value");
    }
    List<Object> items = DictMethods.items(map(context, value, "dictsort"));
    sort(items, by.equals("key") ? 0L : 1L, cased, reverse, context);
    return items;
  }

  private static Object unique(RenderContext context, Object value, BoundArguments arguments) {
    boolean cased = arguments.truth("case_sensitive", false);
    Object attribute = arguments.optional("attribute", null);
    arguments.end();
    Set<Object> seen = new HashSet<>();
    List<Object> unique = new ArrayList<>();
    for (Object item : copy(value, context)) {
      Object key = key(item, attribute, cased, context);
      if (seen.add(key instanceof Undefined ? Undefined.class : Values.key(key))) {
        unique.add(item);
      }
    }
    return new Generator(unique);
  }

  private static Object extreme(
      RenderContext context, Object value, BoundArguments arguments, int sign) {
    boolean cased = arguments.truth("case_sensitive", false);
    Object attribute = arguments.optional("attribute", null);
    arguments.end();
    List<Object> items = Values.items(value, context.budget());
    if (items.isEmpty()) {
      return new Undefined("there is no such item, the sequence is empty");
    }
    Comparator<Object> order = order(attribute, cased, context);
    Object best = items.getFirst();
    for (Object item : items) {
      best = sign * order.compare(item, best) > 0 ? item : best;
    }
    return best;
  }

  private static Object sum(RenderContext context, Object value, BoundArguments arguments) {
    Object attribute = arguments.optional("attribute", null);
    Object total = arguments.optional("start", 0L);
    arguments.end();
    for (Object item : Values.items(value, context.budget())) {
      Object term =
          attribute == null ? item : AttributePath.of(attribute, context).get(item, context);
      total = NumberOperators.apply("+", total, term, context.budget());
    }
    return total;
  }
}
