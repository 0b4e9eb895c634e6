package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Gathering in few rounds, then a turn of the blocks into their places.
 *
 * <p>Cost: ⌈lg p⌉α + (p−1)nβ, and a copy of all.
 */
final class DisseminationAllGather implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_GATHER;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.DISSEMINATION;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(Method.rounds(p), (p - 1.0) * n, (double) p * n);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Collective.AllGather gather = (Collective.AllGather) call;
    MemorySegment mine = gather.mine().memory();
    long n = mine.byteSize();
    MemorySegment blocks = turn.scratch(n * turn.size());
    MemorySegment.copy(mine, 0, blocks, 0, n);
    Dissemination.gather(blocks, n, turn);
    for (int i = 0; i < turn.size(); i++) {
      MemorySegment.copy(blocks, i * n, gather.all().memory(), turn.ring(i) * n, n);
    }
  }
}
