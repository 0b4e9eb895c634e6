package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * In the round with distance d = 1, 2, 4, … each member tells the one d after it that it, and all
 * that it has heard of, are there.
 *
 * <p>Cost: ⌈lg p⌉α.
 */
final class DisseminationBarrier implements Method {
  private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

  @Override
  public Operation operation() {
    return Operation.BARRIER;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.DISSEMINATION;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(Method.rounds(p), 0, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    for (int d = 1; d < turn.size(); d *= 2) {
      turn.swap(turn.ring(d), NOTHING, turn.ring(-d), NOTHING);
    }
  }
}
