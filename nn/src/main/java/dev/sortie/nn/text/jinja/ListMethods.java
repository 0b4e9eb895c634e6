package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.Function.Method;
import java.util.List;

/** Methods of lists and tuples that change nothing. */
final class ListMethods {
  private ListMethods() {}

  /** The method, or {@link Access#ABSENT}. */
  static Object find(List<?> list, String name) {
    return switch (name) {
      case "count" -> new Method("count", (run, arguments) -> count(list, run.budget(), arguments));
      case "index" -> new Method("index", (run, arguments) -> index(list, run.budget(), arguments));
      case "copy" -> throw new ValueException("the method 'copy' of a list is not supported");
      default -> Access.ABSENT;
    };
  }

  private static Object count(List<?> list, Budget budget, BoundArguments arguments) {
    Object wanted = arguments.required("value");
    arguments.end();
    return list.stream().filter(item -> Comparing.equal(item, wanted, budget)).count();
  }

  private static Object index(List<?> list, Budget budget, BoundArguments arguments) {
    Object wanted = arguments.required("value");
    arguments.end();
    for (int i = 0; i < list.size(); i++) {
      if (Comparing.equal(list.get(i), wanted, budget)) {
        return (long) i;
      }
    }
    throw new ValueException("the list has no such item");
  }
}
