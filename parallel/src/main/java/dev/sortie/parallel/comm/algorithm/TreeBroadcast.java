package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * Down a binomial tree over members counted from the root: whoever has the data passes it to half
 * of the members that it answers for, then to half of the rest. The parent of k is k without its
 * lowest bit set; its children are k + d for the powers of two d below that bit, nearest last.
 */
final class TreeBroadcast {
  private TreeBroadcast() {}

  /** ⌈lg p⌉(α + nβ). */
  static double cost(long n, int p, LinkSpeed speed) {
    double rounds = CollectiveAlgorithm.rounds(p);
    return speed.seconds(rounds, rounds * n, 0);
  }

  static void run(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.Broadcast) call).data().memory();
    int p = context.size();
    int k = Math.floorMod(context.position() - call.root(), p);
    int below = k == 0 ? Integer.highestOneBit(2 * p - 1) : Integer.lowestOneBit(k);
    if (k != 0) {
      context.receive((k - below + call.root()) % p, data);
    }
    for (int d = below / 2; d >= 1; d /= 2) {
      if (k + d < p) {
        context.send((k + d + call.root()) % p, data);
      }
    }
  }
}
