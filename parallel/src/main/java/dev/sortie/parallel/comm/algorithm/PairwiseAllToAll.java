package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * In round k each member sends to the one k after it and receives from the one k before it.
 *
 * <p>Cost: (p−1)α + (p−1)/p·nβ.
 */
final class PairwiseAllToAll implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_TO_ALL;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.PAIRWISE;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(p - 1, (p - 1.0) / p * n, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Collective.AllToAll all = (Collective.AllToAll) call;
    Slices from = turn.slices(all.from().memory());
    Slices to = turn.slices(all.to().memory());
    MemorySegment mine = from.get(turn.position());
    MemorySegment.copy(mine, 0, to.get(turn.position()), 0, mine.byteSize());
    for (int k = 1; k < turn.size(); k++) {
      int next = turn.ring(k);
      int previous = turn.ring(-k);
      turn.swap(next, from.get(next), previous, to.get(previous));
    }
  }
}
