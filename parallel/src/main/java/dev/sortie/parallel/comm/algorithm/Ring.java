package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * Slices travel round the ring of members. Each member talks to its two neighbours alone, which
 * suits many hosts on one network.
 */
final class Ring {
  private Ring() {}

  /** 2(p−1)α + 2(p−1)/p·nβ + (p−1)/p·nγ. */
  static double allReduceCost(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    return speed.seconds(2 * (p - 1), 2 * share, share);
  }

  /** Slices are summed on one way round, and handed out on another. */
  static void allReduce(Collective call, CollectiveContext context) {
    Slices slices = context.slices(((Collective.AllReduce) call).data().memory());
    reduce(slices, context);
    gather(slices, context);
  }

  /** (p−1)α + (p−1)nβ. */
  static double allGatherCost(long n, int p, LinkSpeed speed) {
    return speed.seconds(p - 1, (p - 1.0) * n, 0);
  }

  static void allGather(Collective call, CollectiveContext context) {
    gather(context.gathered((Collective.AllGather) call), context);
  }

  /**
   * In step s = 0 … p−2 member i sends the slice i−s−1, which holds the sum of what it has passed,
   * to its successor, and adds the slice i−s−2 that comes from its predecessor to its own. After
   * p−1 steps member i has the whole sum of slice i. Slice i is added in the order i+1, i+2, …, i:
   * another one for each slice.
   */
  private static void reduce(Slices slices, CollectiveContext context) {
    MemorySegment scratch = context.scratch(slices.get(0).byteSize());
    for (int s = 0; s < context.size() - 1; s++) {
      MemorySegment into = slices.get(context.ring(-s - 2));
      MemorySegment coming = scratch.asSlice(0, into.byteSize());
      context.swap(context.ring(1), slices.get(context.ring(-s - 1)), context.ring(-1), coming);
      context.addBefore(coming, into);
    }
  }

  /**
   * In step s member i sends slice i−s, its own at first and then what came last, and receives
   * slice i−s−1.
   */
  private static void gather(Slices slices, CollectiveContext context) {
    for (int s = 0; s < context.size() - 1; s++) {
      MemorySegment out = slices.get(context.ring(-s));
      MemorySegment in = slices.get(context.ring(-s - 1));
      context.swap(context.ring(1), out, context.ring(-1), in);
    }
  }
}
