package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * In the round with distance d = 1, 2, 4, … pairs that differ in that bit of their number swap all
 * they have and both add it, the lower one's first: addition commutes but for the bits of a NaN.
 *
 * <p>Cost: lg p·(α + nβ + nγ), and two messages more where p is no power of two. The order is a
 * balanced tree.
 */
final class RecursiveDoublingAllReduce implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.RECURSIVE_DOUBLING;
  }

  @Override
  public boolean ascends() {
    return false;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double rounds = Method.rounds(p) + (Integer.bitCount(p) == 1 ? 0 : 1);
    return speed.seconds(rounds, rounds * n, rounds * n);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    MemorySegment scratch = turn.scratch(data.byteSize());
    Folding folding = new Folding(turn);
    folding.before(data, scratch);
    if (!folding.isFolded()) {
      int me = folding.number();
      for (int distance = 1; distance < folding.active(); distance *= 2) {
        int peer = folding.position(me ^ distance);
        turn.swap(peer, data, peer, scratch);
        if (peer < turn.position()) {
          turn.addBefore(scratch, data);
        } else {
          turn.add(data, scratch);
        }
      }
    }
    folding.after(data);
  }
}
