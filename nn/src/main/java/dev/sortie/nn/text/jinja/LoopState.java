package dev.sortie.nn.text.jinja;

import dev.sortie.nn.text.budget.Budget;
import dev.sortie.nn.text.jinja.Function.Method;
import dev.sortie.nn.text.jinja.TemplateValue.Undefined;
import java.util.ArrayList;
import java.util.List;

/** The variable {@code loop} inside a loop. */
final class LoopState {
  private final List<Object> items;
  private int index;
  private List<Object> lastChecked;

  LoopState(List<Object> items) {
    this.items = items;
  }

  void at(int newIndex) {
    index = newIndex;
  }

  int length() {
    return items.size();
  }

  Object attribute(String name, Budget budget) {
    return switch (name) {
      case "index" -> index + 1L;
      case "index0" -> (long) index;
      case "revindex" -> (long) items.size() - index;
      case "revindex0" -> items.size() - index - 1L;
      case "first" -> index == 0;
      case "last" -> index == items.size() - 1;
      case "length" -> (long) items.size();
      // they count calls of a recursive loop, not loops in loops
      case "depth" -> 1L;
      case "depth0" -> 0L;
      case "previtem" ->
          index > 0 ? items.get(index - 1) : new Undefined("there is no previous item");
      case "nextitem" ->
          index + 1 < items.size() ? items.get(index + 1) : new Undefined("there is no next item");
      case "cycle" -> new Method("loop.cycle", (run, arguments) -> cycle(arguments));
      case "changed" -> new Method("loop.changed", (run, arguments) -> changed(arguments, budget));
      default -> new Undefined("'loop' has no attribute " + PythonText.quoted(name));
    };
  }

  private Object cycle(BoundArguments arguments) {
    List<Object> values = arguments.rest();
    arguments.end();
    if (values.isEmpty()) {
      throw new ValueException("loop.cycle() has no values");
    }
    return values.get(index % values.size());
  }

  private Object changed(BoundArguments arguments, Budget budget) {
    List<Object> values = new ArrayList<>(arguments.rest());
    arguments.end();
    boolean same = lastChecked != null && Comparing.equal(lastChecked, values, budget);
    lastChecked = values;
    return !same;
  }
}
