package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/** Few rounds, for any p: what a member has goes to the members at distance 1, 2, 4, … */
final class Dissemination {
  private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

  private Dissemination() {}

  /** ⌈lg p⌉α + (p−1)nβ, and a copy of all. */
  static double allGatherCost(long n, int p, LinkSpeed speed) {
    return speed.seconds(CollectiveAlgorithm.rounds(p), (p - 1.0) * n, (double) p * n);
  }

  /** Gathers in few rounds, then moves the blocks to their places. */
  static void allGather(Collective call, CollectiveContext context) {
    Collective.AllGather gather = (Collective.AllGather) call;
    MemorySegment blocks = gather(gather.mine().memory(), context);
    long n = gather.mine().memory().byteSize();
    for (int i = 0; i < context.size(); i++) {
      MemorySegment.copy(blocks, i * n, gather.all().memory(), context.ring(i) * n, n);
    }
  }

  /** ⌈lg p⌉α + (p−1)nβ + (p−1)nγ. */
  static double allReduceCost(long n, int p, LinkSpeed speed) {
    double others = (p - 1.0) * n;
    return speed.seconds(CollectiveAlgorithm.rounds(p), others, others);
  }

  /**
   * Everyone gets everything and adds it in order. Best for small data: as few rounds as recursive
   * doubling, and the sums ascend.
   */
  static void allReduce(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    MemorySegment blocks = gather(data, context);
    long n = data.byteSize();
    MemorySegment[] parts = new MemorySegment[context.size()];
    for (int i = 0; i < parts.length; i++) {
      parts[context.ring(i)] = blocks.asSlice(i * n, n);
    }
    context.sum(parts, data);
  }

  /** ⌈lg p⌉α. */
  static double barrierCost(long n, int p, LinkSpeed speed) {
    return speed.seconds(CollectiveAlgorithm.rounds(p), 0, 0);
  }

  /**
   * In the round with distance d = 1, 2, 4, … each member tells the one d after it that it has
   * come, and with it all of which it knows that they have.
   */
  static void barrier(Collective call, CollectiveContext context) {
    for (int d = 1; d < context.size(); d *= 2) {
      context.swap(context.ring(d), NOTHING, context.ring(-d), NOTHING);
    }
  }

  /**
   * Gathering in ⌈log₂ p⌉ rounds (Bruck et al. 1997): everyone's {@code mine}, where block i is
   * that of the member i after this one. In the round with distance d = 1, 2, 4, … each member has
   * d blocks, sends them to the member d before it, and gets the next ones from the member d after
   * it; the last round moves only what is missing.
   */
  private static MemorySegment gather(MemorySegment mine, CollectiveContext context) {
    int p = context.size();
    long n = mine.byteSize();
    MemorySegment blocks = context.scratch(n * p);
    MemorySegment.copy(mine, 0, blocks, 0, n);
    for (int have = 1; have < p; have *= 2) {
      int count = Math.min(have, p - have);
      context.swap(
          context.ring(-have),
          blocks.asSlice(0, count * n),
          context.ring(have),
          blocks.asSlice(have * n, count * n));
    }
    return blocks;
  }
}
