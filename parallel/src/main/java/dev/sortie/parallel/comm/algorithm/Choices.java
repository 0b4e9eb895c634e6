package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import java.util.function.Supplier;

/**
 * The algorithm last chosen for each operation. Training makes the same calls again and again, and
 * a choice takes longer than a small sum.
 */
final class Choices {
  private final Chosen[] last = new Chosen[Operation.values().length];

  /** The method for a call, asked for anew when type, count or order is another. */
  Method choose(Collective call, Supplier<Method> anew) {
    int index = call.operation().ordinal();
    Chosen known = last[index];
    if (known != null && known.fits(call)) {
      return known.method;
    }
    Method method = anew.get();
    last[index] = new Chosen(call.type(), call.count(), call.order(), method);
    return method;
  }

  private record Chosen(ElementType type, long count, Order order, Method method) {
    boolean fits(Collective call) {
      return call.count() == count && call.type() == type && call.order() == order;
    }
  }
}
