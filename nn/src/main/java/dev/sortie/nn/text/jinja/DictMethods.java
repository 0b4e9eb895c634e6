package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.jinja.Function.Method;
import dev.sortie.nn.text.jinja.TemplateValue.DictView;
import dev.sortie.nn.text.jinja.TemplateValue.Tuple;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Methods of dicts that change nothing. */
final class DictMethods {
  private DictMethods() {}

  /** The method, or {@link Access#ABSENT}. */
  static Object find(Map<?, ?> map, String name) {
    return switch (name) {
      case "get" -> new Method("get", (context, arguments) -> get(map, arguments));
      case "items" ->
          new Method(
              "items", (context, arguments) -> view("dict_items", items(map), context, arguments));
      case "keys" ->
          new Method(
              "keys",
              (context, arguments) -> view("dict_keys", Values.keys(map), context, arguments));
      case "values" ->
          new Method(
              "values",
              (context, arguments) ->
                  view("dict_values", new ArrayList<>(map.values()), context, arguments));
      case "copy", "fromkeys" ->
          throw new ValueException("the method '" + name + "' of a dict is not supported");
      default -> Access.ABSENT;
    };
  }

  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>(map.size());
    map.forEach((key, value) -> items.add(Tuple.pair(key, value)));
    return items;
  }

  private static DictView view(
      String kind, List<Object> items, RenderContext context, BoundArguments arguments) {
    arguments.end();
    context.budget().items(items.size());
    return new DictView(kind, items);
  }

  private static Object get(Map<?, ?> map, BoundArguments arguments) {
    Object key = Values.key(arguments.required("key"));
    Object fallback = arguments.optional("default", null);
    arguments.end();
    return map.containsKey(key) ? map.get(key) : fallback;
  }
}
