package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;

/**
 * Parts travel round the ring.
 *
 * <p>Cost: (p−1)α + (p−1)nβ.
 */
final class RingAllGather implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_GATHER;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.RING;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(p - 1, (p - 1.0) * n, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Ring.gather(turn.placed((Collective.AllGather) call), turn);
  }
}
