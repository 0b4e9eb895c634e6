package dev.sortie.nn.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Methods of dicts that change nothing. */
final class DictMethods {
  private DictMethods() {}

  /** The method, or {@link Access#ABSENT}. */
  static Object find(Map<?, ?> map, String name) {
    return switch (name) {
      case "get" -> new Method("get", (run, arguments) -> get(map, arguments));
      case "items" ->
          new Method("items", (run, arguments) -> view("dict_items", items(map), run, arguments));
      case "keys" ->
          new Method(
              "keys", (run, arguments) -> view("dict_keys", Values.keys(map), run, arguments));
      case "values" ->
          new Method(
              "values",
              (run, arguments) ->
                  view("dict_values", new ArrayList<>(map.values()), run, arguments));
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

  private static View view(String kind, List<Object> items, Run run, Arguments arguments) {
    arguments.end();
    run.budget().steps(items.size());
    return new View(kind, items);
  }

  private static Object get(Map<?, ?> map, Arguments arguments) {
    Object key = Values.key(arguments.required("key"));
    Object fallback = arguments.optional("default", null);
    arguments.end();
    return map.containsKey(key) ? map.get(key) : fallback;
  }
}
