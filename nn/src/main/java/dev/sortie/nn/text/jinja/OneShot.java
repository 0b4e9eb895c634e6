package dev.sortie.nn.text.jinja;

import java.util.List;

/** A generator, as filters such as map return one: its items can be read once. */
final class OneShot {
  private List<Object> items;

  OneShot(List<Object> items) {
    this.items = items;
  }

  List<Object> take() {
    List<Object> taken = items;
    items = List.of();
    return taken;
  }

  /** Takes the first item and leaves the others. */
  Object takeFirst() {
    Object first = items.getFirst();
    items = items.subList(1, items.size());
    return first;
  }

  boolean isEmpty() {
    return items.isEmpty();
  }
}
