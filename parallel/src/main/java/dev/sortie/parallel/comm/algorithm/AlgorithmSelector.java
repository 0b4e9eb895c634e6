package dev.sortie.parallel.comm.algorithm;

import static dev.sortie.parallel.comm.Algorithm.DISSEMINATION;
import static dev.sortie.parallel.comm.Algorithm.EXCHANGE;
import static dev.sortie.parallel.comm.Algorithm.GATHER;
import static dev.sortie.parallel.comm.Algorithm.HALVING_DOUBLING;
import static dev.sortie.parallel.comm.Algorithm.RECURSIVE_DOUBLING;
import static dev.sortie.parallel.comm.Algorithm.RING;
import static dev.sortie.parallel.comm.Algorithm.SCATTER_GATHER;
import static dev.sortie.parallel.comm.Algorithm.SHARED_MEMORY;
import static dev.sortie.parallel.comm.Algorithm.TREE;
import static dev.sortie.parallel.comm.Operation.ALL_GATHER;
import static dev.sortie.parallel.comm.Operation.ALL_REDUCE;
import static dev.sortie.parallel.comm.Operation.BARRIER;
import static dev.sortie.parallel.comm.Operation.BROADCAST;
import static dev.sortie.parallel.comm.Operation.REDUCE_SCATTER;
import static dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Needs.ANY_ORDER;
import static dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Needs.COMMON_MEMORY;
import static dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Needs.NOTHING;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.CommOptions;
import dev.sortie.parallel.comm.ElementType;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import dev.sortie.parallel.comm.Order;
import dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Cost;
import dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Needs;
import dev.sortie.parallel.comm.algorithm.CollectiveAlgorithm.Steps;
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
          row(ALL_REDUCE, GATHER, NOTHING, Dissemination::allReduce, Dissemination::allReduceCost),
          row(
              ALL_REDUCE,
              SHARED_MEMORY,
              COMMON_MEMORY,
              SharedAllReduce::run,
              SharedAllReduce::cost),
          row(ALL_REDUCE, EXCHANGE, NOTHING, Exchange::allReduce, Exchange::allReduceCost),
          row(
              ALL_REDUCE,
              RECURSIVE_DOUBLING,
              ANY_ORDER,
              RecursiveDoubling::allReduce,
              RecursiveDoubling::cost),
          row(
              ALL_REDUCE,
              HALVING_DOUBLING,
              ANY_ORDER,
              HalvingDoubling::allReduce,
              HalvingDoubling::cost),
          row(ALL_REDUCE, RING, ANY_ORDER, Ring::allReduce, Ring::allReduceCost),
          row(ALL_GATHER, EXCHANGE, NOTHING, Exchange::allGather, Exchange::allGatherCost),
          row(
              ALL_GATHER,
              SHARED_MEMORY,
              COMMON_MEMORY,
              SharedAllGather::run,
              SharedAllGather::cost),
          row(
              ALL_GATHER,
              DISSEMINATION,
              NOTHING,
              Dissemination::allGather,
              Dissemination::allGatherCost),
          row(ALL_GATHER, RING, NOTHING, Ring::allGather, Ring::allGatherCost),
          row(
              REDUCE_SCATTER,
              EXCHANGE,
              NOTHING,
              Exchange::reduceScatter,
              Exchange::reduceScatterCost),
          row(
              REDUCE_SCATTER,
              SHARED_MEMORY,
              COMMON_MEMORY,
              SharedReduceScatter::run,
              SharedReduceScatter::cost),
          row(BROADCAST, TREE, NOTHING, TreeBroadcast::run, TreeBroadcast::cost),
          row(BROADCAST, SCATTER_GATHER, NOTHING, ScatterGather::broadcast, ScatterGather::cost),
          row(BARRIER, DISSEMINATION, NOTHING, Dissemination::barrier, Dissemination::barrierCost));

  private static CollectiveAlgorithm row(
      Operation operation, Algorithm algorithm, Needs needs, Steps steps, Cost cost) {
    return new CollectiveAlgorithm(operation, algorithm, needs, steps, cost);
  }

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
                  algorithm.needs() == COMMON_MEMORY
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
      case COMMON_MEMORY -> shared;
      case ANY_ORDER ->
          members == 2
              || call.type().isExact()
              || call.order() == Order.ANY && call.type() != ElementType.BF16;
    };
  }
}
