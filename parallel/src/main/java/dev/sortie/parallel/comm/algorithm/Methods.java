package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import java.util.Comparator;
import java.util.List;

/**
 * All algorithms, and the choice among them. Ties go to the first in the list, so that all members
 * choose alike.
 */
final class Methods {
  private static final List<Method> ALL =
      List.of(
          new GatherAllReduce(),
          new SharedAllReduce(),
          new ExchangeAllReduce(),
          new RecursiveDoublingAllReduce(),
          new HalvingDoublingAllReduce(),
          new RingAllReduce(),
          new ExchangeAllGather(),
          new SharedAllGather(),
          new DisseminationAllGather(),
          new RingAllGather(),
          new ExchangeReduceScatter(),
          new SharedReduceScatter(),
          new TreeBroadcast(),
          new ScatterGatherBroadcast(),
          new DisseminationBarrier());

  private Methods() {}

  /**
   * The algorithm that is forced, or the cheapest of those that keep the call's promises.
   *
   * @throws IllegalArgumentException if the forced one does not fit the call
   */
  static Method choose(
      Collective call, int p, boolean shared, LinkSpeed speed, CommOptions options) {
    Algorithm forced = options.forced().get(call.operation());
    if (forced != null) {
      return forced(call, p, shared, forced);
    }
    long n = call.count() * call.type().bytes();
    return ALL.stream()
        .filter(m -> m.operation() == call.operation() && fits(m, call, p, shared))
        .min(Comparator.comparingDouble(m -> m.seconds(n, p, speed)))
        .orElseThrow();
  }

  private static Method forced(Collective call, int p, boolean shared, Algorithm algorithm) {
    Method method =
        ALL.stream()
            .filter(m -> m.operation() == call.operation() && m.algorithm() == algorithm)
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "there is no "
                            + call.operation().label()
                            + " by "
                            + algorithm.label()
                            + "; take one of "
                            + labels(call.operation())));
    if (!fits(method, call, p, shared)) {
      throw new IllegalArgumentException(
          "%s by %s does not fit: %s"
              .formatted(
                  call.operation().label(),
                  algorithm.label(),
                  method.needsSharedMemory() && !shared
                      ? "the transport has no shared memory"
                      : "it adds "
                          + call.type()
                          + " in another order than "
                          + call.order()
                          + " allows, or rounds on the way"));
    }
    return method;
  }

  /**
   * With two members, and with integers, any order gives the same bits. BF16 must be rounded once,
   * so it needs all addends in one place: those are the algorithms whose sums ascend.
   */
  private static boolean fits(Method method, Collective call, int p, boolean shared) {
    boolean sums =
        method.ascends()
            || p == 2
            || call.type().isExact()
            || call.order() == Order.ANY && call.type() != ElementType.BF16;
    return sums && (shared || !method.needsSharedMemory());
  }

  private static List<String> labels(Operation operation) {
    return ALL.stream()
        .filter(m -> m.operation() == operation)
        .map(m -> m.algorithm().label())
        .toList();
  }
}
