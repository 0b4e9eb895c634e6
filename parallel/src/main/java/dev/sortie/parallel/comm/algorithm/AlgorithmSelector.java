package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Needs;
import java.util.Comparator;
import java.util.List;

/**
 * The table of all algorithms, and the choice among them for one group. Ties go to the first in the
 * table, so that all members choose alike. The last choice for each operation is kept: training
 * makes the same calls again and again, and a choice takes longer than a small sum.
 */
final class AlgorithmSelector {
  private static final List<CollectiveAlgorithm> ALL =
      List.of(
          new CollectiveAlgorithm(
              Operation.ALL_REDUCE,
              Algorithm.GATHER,
              Needs.NOTHING,
              Dissemination::allReduce,
              Dissemination::allReduceCost),
          new CollectiveAlgorithm(
              Operation.ALL_REDUCE,
              Algorithm.SHARED_MEMORY,
              Needs.SHARED_MEMORY,
              SharedAllReduce::run,
              SharedAllReduce::cost),
          new CollectiveAlgorithm(
              Operation.ALL_REDUCE,
              Algorithm.EXCHANGE,
              Needs.NOTHING,
              Exchange::allReduce,
              Exchange::allReduceCost),
          new CollectiveAlgorithm(
              Operation.ALL_REDUCE,
              Algorithm.RECURSIVE_DOUBLING,
              Needs.ANY_ORDER,
              RecursiveDoubling::allReduce,
              RecursiveDoubling::cost),
          new CollectiveAlgorithm(
              Operation.ALL_REDUCE,
              Algorithm.HALVING_DOUBLING,
              Needs.ANY_ORDER,
              HalvingDoubling::allReduce,
              HalvingDoubling::cost),
          new CollectiveAlgorithm(
              Operation.ALL_REDUCE,
              Algorithm.RING,
              Needs.ANY_ORDER,
              Ring::allReduce,
              Ring::allReduceCost),
          new CollectiveAlgorithm(
              Operation.ALL_GATHER,
              Algorithm.EXCHANGE,
              Needs.NOTHING,
              Exchange::allGather,
              Exchange::allGatherCost),
          new CollectiveAlgorithm(
              Operation.ALL_GATHER,
              Algorithm.SHARED_MEMORY,
              Needs.SHARED_MEMORY,
              SharedAllGather::run,
              SharedAllGather::cost),
          new CollectiveAlgorithm(
              Operation.ALL_GATHER,
              Algorithm.DISSEMINATION,
              Needs.NOTHING,
              Dissemination::allGather,
              Dissemination::allGatherCost),
          new CollectiveAlgorithm(
              Operation.ALL_GATHER,
              Algorithm.RING,
              Needs.NOTHING,
              Ring::allGather,
              Ring::allGatherCost),
          new CollectiveAlgorithm(
              Operation.REDUCE_SCATTER,
              Algorithm.EXCHANGE,
              Needs.NOTHING,
              Exchange::reduceScatter,
              Exchange::reduceScatterCost),
          new CollectiveAlgorithm(
              Operation.REDUCE_SCATTER,
              Algorithm.SHARED_MEMORY,
              Needs.SHARED_MEMORY,
              SharedReduceScatter::run,
              SharedReduceScatter::cost),
          new CollectiveAlgorithm(
              Operation.BROADCAST,
              Algorithm.TREE,
              Needs.NOTHING,
              TreeBroadcast::run,
              TreeBroadcast::cost),
          new CollectiveAlgorithm(
              Operation.BROADCAST,
              Algorithm.SCATTER_GATHER,
              Needs.NOTHING,
              ScatterGather::broadcast,
              ScatterGather::cost),
          new CollectiveAlgorithm(
              Operation.BARRIER,
              Algorithm.DISSEMINATION,
              Needs.NOTHING,
              Dissemination::barrier,
              Dissemination::barrierCost));

  private final int members;
  private final boolean shared;
  private final LinkSpeed speed;
  private final CommOptions options;
  private final Chosen[] last = new Chosen[Operation.values().length];

  /**
   * @param members of the group
   * @param shared whether they see common memory
   */
  AlgorithmSelector(int members, boolean shared, LinkSpeed speed, CommOptions options) {
    this.members = members;
    this.shared = shared;
    this.speed = speed;
    this.options = options;
  }

  LinkSpeed speed() {
    return speed;
  }

  /**
   * The algorithm that is forced, or the cheapest of those that keep the call's promises.
   *
   * @throws IllegalArgumentException if the forced one does not fit the call
   */
  CollectiveAlgorithm select(Collective call) {
    int index = call.operation().ordinal();
    Chosen known = last[index];
    if (known == null || !known.fits(call)) {
      known = new Chosen(call.type(), call.count(), call.order(), choose(call));
      last[index] = known;
    }
    return known.algorithm;
  }

  private record Chosen(ElementType type, long count, Order order, CollectiveAlgorithm algorithm) {
    boolean fits(Collective call) {
      return call.count() == count && call.type() == type && call.order() == order;
    }
  }

  private CollectiveAlgorithm choose(Collective call) {
    List<CollectiveAlgorithm> all =
        ALL.stream().filter(a -> a.operation() == call.operation()).toList();
    Algorithm forced = options.forced().get(call.operation());
    if (forced != null) {
      return forced(call, all, forced);
    }
    long n = call.count() * call.type().bytes();
    return all.stream()
        .filter(a -> fits(a, call))
        .min(Comparator.comparingDouble(a -> a.cost().seconds(n, members, speed)))
        .orElseThrow();
  }

  private CollectiveAlgorithm forced(
      Collective call, List<CollectiveAlgorithm> all, Algorithm forced) {
    String operation = call.operation().label();
    CollectiveAlgorithm algorithm =
        all.stream()
            .filter(a -> a.algorithm() == forced)
            .findFirst()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "there is no %s by %s; take one of %s"
                            .formatted(
                                operation,
                                forced.label(),
                                all.stream().map(a -> a.algorithm().label()).toList())));
    if (!fits(algorithm, call)) {
      throw new IllegalArgumentException(
          "%s by %s does not fit: %s"
              .formatted(
                  operation,
                  forced.label(),
                  algorithm.needs() == Needs.SHARED_MEMORY
                      ? "the transport has no shared memory"
                      : "it adds %s in another order than %s allows, or rounds on the way"
                          .formatted(call.type(), call.order())));
    }
    return algorithm;
  }

  /**
   * With two members, and with integers, any order gives the same bits. BF16 must be rounded once,
   * so it needs all addends in one place: those are the algorithms whose sums ascend.
   */
  private boolean fits(CollectiveAlgorithm algorithm, Collective call) {
    return switch (algorithm.needs()) {
      case NOTHING -> true;
      case SHARED_MEMORY -> shared;
      case ANY_ORDER ->
          members == 2
              || call.type().isExact()
              || call.order() == Order.ANY && call.type() != ElementType.BF16;
    };
  }
}
