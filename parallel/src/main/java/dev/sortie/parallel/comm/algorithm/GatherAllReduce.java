package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Everyone gets everything and adds it in order. Best for small data: as few rounds as recursive
 * doubling, and the sums ascend.
 *
 * <p>Cost: ⌈lg p⌉α + (p−1)nβ + (p−1)nγ.
 */
final class GatherAllReduce implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.GATHER;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double others = (p - 1.0) * n;
    return speed.seconds(Method.rounds(p), others, others);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    int p = turn.size();
    long n = data.byteSize();
    MemorySegment blocks = turn.scratch(n * p);
    MemorySegment.copy(data, 0, blocks, 0, n);
    Dissemination.gather(blocks, n, turn);
    MemorySegment[] parts = new MemorySegment[p];
    for (int i = 0; i < p; i++) {
      parts[turn.ring(i)] = blocks.asSlice(i * n, n);
    }
    turn.sum(parts, data);
  }
}
