package dev.sortie.tensor.autograd;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/** Memory that was used and is free again, by type and length. */
final class SpareMemory {
  private record Kind(DType dtype, long length) {}

  private final Map<Kind, Deque<Span>> spare = new HashMap<>();

  /** Memory with undefined contents: the one given last, or new from {@code allocator}. */
  Span take(Allocator allocator, DType dtype, long length) {
    Deque<Span> free = spare.get(new Kind(dtype, length));
    return free == null || free.isEmpty() ? allocator.allocate(dtype, length).span() : free.pop();
  }

  /** Memory that nobody uses any more. */
  void give(Span span) {
    spare
        .computeIfAbsent(new Kind(span.dtype(), span.length()), _ -> new ArrayDeque<>())
        .push(span);
  }
}
