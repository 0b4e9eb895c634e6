package dev.sortie.eetuning.decode.batch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Predicate;

/**
 * Waiting items of several owners, who take turns: whoever was served goes after the others, and
 * the items of one owner come in their order. So an owner with many items delays another one by one
 * item a turn. Not thread-safe.
 */
final class FairQueue<T> {
  /** By owner, the one whose turn it is first; no queue is empty. */
  private final Map<String, Queue<T>> byOwner = new LinkedHashMap<>();

  private int size;

  int size() {
    return size;
  }

  /** Items of one owner. */
  int size(String owner) {
    Queue<T> items = byOwner.get(owner);
    return items == null ? 0 : items.size();
  }

  boolean isEmpty() {
    return size == 0;
  }

  void add(String owner, T item) {
    byOwner.computeIfAbsent(owner, _ -> new ArrayDeque<>()).add(item);
    size++;
  }

  /** The item whose turn it is; it stays so until it is removed. */
  Optional<T> peek() {
    return byOwner.values().stream().findFirst().map(Queue::peek);
  }

  /** Takes the item whose turn it is; its owner goes after the others. */
  void remove() {
    String owner = byOwner.keySet().iterator().next();
    Queue<T> items = byOwner.remove(owner);
    items.remove();
    size--;
    if (!items.isEmpty()) {
      byOwner.put(owner, items);
    }
  }

  /** Takes out all items that are wanted, wherever they stand. */
  List<T> removeIf(Predicate<T> wanted) {
    List<T> removed = new ArrayList<>();
    for (Iterator<Queue<T>> queues = byOwner.values().iterator(); queues.hasNext(); ) {
      Queue<T> items = queues.next();
      items.removeIf(item -> wanted.test(item) && removed.add(item));
      if (items.isEmpty()) {
        queues.remove();
      }
    }
    size -= removed.size();
    return removed;
  }
}
