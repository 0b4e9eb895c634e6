package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Rabenseifner's algorithm. Halving: with distance d = q/2, q/4, …, 1 pairs split the slices that
 * they are in charge of, each keeping the half that holds its own number, and add what the other
 * sends of it. Doubling: the same pairs in reverse hand back what they have.
 *
 * <p>Cost: 2 lg p·α + 2(p−1)/p·nβ + (p−1)/p·nγ, and twice n more where p is no power of two. The
 * order is a balanced tree.
 */
final class HalvingDoublingAllReduce implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.HALVING_DOUBLING;
  }

  @Override
  public boolean ascends() {
    return false;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    double fold = Integer.bitCount(p) == 1 ? 0 : 1;
    return speed.seconds(2 * (Method.rounds(p) + fold), 2 * share + 2 * fold * n, share + fold * n);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    MemorySegment scratch = turn.scratch(data.byteSize());
    Folding folding = new Folding(turn);
    folding.before(data, scratch);
    if (!folding.isFolded()) {
      Slices slices = new Slices(data, folding.active(), call.type().bytes());
      halve(slices, folding, scratch, turn);
      doubleUp(slices, folding, turn);
    }
    folding.after(data);
  }

  private static void halve(Slices slices, Folding folding, MemorySegment scratch, Turn turn) {
    int me = folding.number();
    for (int d = folding.active() / 2; d >= 1; d /= 2) {
      int peer = me ^ d;
      MemorySegment keep = slices.range(start(me, d), start(me, d) + d);
      MemorySegment give = slices.range(start(peer, d), start(peer, d) + d);
      MemorySegment coming = scratch.asSlice(0, keep.byteSize());
      int position = folding.position(peer);
      turn.swap(position, give, position, coming);
      if (peer < me) {
        turn.addBefore(coming, keep);
      } else {
        turn.add(keep, coming);
      }
    }
  }

  private static void doubleUp(Slices slices, Folding folding, Turn turn) {
    int me = folding.number();
    for (int d = 1; d < folding.active(); d *= 2) {
      int peer = me ^ d;
      int position = folding.position(peer);
      turn.swap(
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
