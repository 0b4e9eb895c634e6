package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * Rabenseifner's algorithm. Halving: with distance d = q/2, q/4, …, 1 pairs split the slices that
 * they are in charge of, each keeping the half that holds its own number, and add what the other
 * sends of it. Doubling: the same pairs in reverse hand back what they have. The order is a
 * balanced tree.
 */
final class HalvingDoubling {
  private HalvingDoubling() {}

  /** 2 lg p·α + 2(p−1)/p·nβ + (p−1)/p·nγ, and twice n more where p is no power of two. */
  static double cost(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    double fold = Integer.bitCount(p) == 1 ? 0 : 1;
    double rounds = CollectiveAlgorithm.rounds(p);
    return speed.seconds(2 * (rounds + fold), 2 * share + 2 * fold * n, share + fold * n);
  }

  static void allReduce(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    MemorySegment scratch = context.scratch(data.byteSize());
    Folding folding = new Folding(context);
    folding.before(data, scratch);
    if (!folding.isFolded()) {
      Slices slices = new Slices(data, folding.active(), call.type().bytes());
      halve(slices, folding, scratch, context);
      doubleUp(slices, folding, context);
    }
    folding.after(data);
  }

  private static void halve(
      Slices slices, Folding folding, MemorySegment scratch, CollectiveContext context) {
    int me = folding.number();
    for (int d = folding.active() / 2; d >= 1; d /= 2) {
      int peer = me ^ d;
      MemorySegment keep = slices.range(start(me, d), start(me, d) + d);
      MemorySegment give = slices.range(start(peer, d), start(peer, d) + d);
      MemorySegment coming = scratch.asSlice(0, keep.byteSize());
      int position = folding.position(peer);
      context.swap(position, give, position, coming);
      if (peer < me) {
        context.addBefore(coming, keep);
      } else {
        context.add(keep, coming);
      }
    }
  }

  private static void doubleUp(Slices slices, Folding folding, CollectiveContext context) {
    int me = folding.number();
    for (int d = 1; d < folding.active(); d *= 2) {
      int peer = me ^ d;
      int position = folding.position(peer);
      context.swap(
          position,
          slices.range(start(me, d), start(me, d) + d),
          position,
          slices.range(start(peer, d), start(peer, d) + d));
    }
  }

  /** First of the {@code d} aligned slices that hold slice {@code number}. */
  private static int start(int number, int d) {
    return number & -d;
  }
}
