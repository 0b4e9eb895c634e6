package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * In the round with distance d = 1, 2, 4, … pairs that differ in that bit of their number swap all
 * they have and both add it, the lower one's first: addition commutes but for the bits of a NaN.
 * The order is a balanced tree.
 */
final class RecursiveDoubling {
  private RecursiveDoubling() {}

  /** lg p·(α + nβ + nγ), and one round more where p is no power of two. */
  static double cost(long n, int p, LinkSpeed speed) {
    double rounds = CollectiveAlgorithm.rounds(p) + (Integer.bitCount(p) == 1 ? 0 : 1);
    return speed.seconds(rounds, rounds * n, rounds * n);
  }

  static void allReduce(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    MemorySegment scratch = context.scratch(data.byteSize());
    Folding folding = new Folding(context);
    folding.before(data, scratch);
    if (!folding.isFolded()) {
      int me = folding.number();
      for (int distance = 1; distance < folding.active(); distance *= 2) {
        int peer = folding.position(me ^ distance);
        context.swap(peer, data, peer, scratch);
        if (peer < context.position()) {
          context.addBefore(scratch, data);
        } else {
          context.add(data, scratch);
        }
      }
    }
    folding.after(data);
  }
}
