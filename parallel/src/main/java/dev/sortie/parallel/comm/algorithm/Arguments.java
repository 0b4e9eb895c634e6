package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.Elements;

/** What can be said of a call's arguments without asking the other members. */
final class Arguments {
  private Arguments() {}

  static void check(Collective call, int size) {
    String name = call.operation().label();
    switch (call) {
      case Collective.Broadcast b -> root(name, b.root(), size);
      case Collective.ReduceScatter r -> times(name, r.all(), r.mine(), size);
      case Collective.AllGather g -> times(name, g.all(), g.mine(), size);
      case Collective.AllReduce a -> {}
      case Collective.Barrier b -> {}
    }
  }

  private static void root(String name, int root, int size) {
    if (root < 0 || root >= size) {
      throw new IllegalArgumentException(
          name + ": the root must be a position in [0, " + size + "), got " + root);
    }
  }

  private static void times(String name, Elements all, Elements mine, int size) {
    if (all.count() != mine.count() * size) {
      throw new IllegalArgumentException(
          "%s among %d members needs %d × %d elements, got %d and %d"
              .formatted(name, size, size, mine.count(), all.count(), mine.count()));
    }
  }
}
