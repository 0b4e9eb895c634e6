package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;

/**
 * The ring: slices are summed on one way round, and handed out on another. Only neighbours talk,
 * which suits many hosts on one wire.
 *
 * <p>Cost: 2(p−1)α + 2(p−1)/p·nβ + (p−1)/p·nγ. Each slice is summed in an order of its own.
 */
final class RingAllReduce implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.RING;
  }

  @Override
  public boolean ascends() {
    return false;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    return speed.seconds(2 * (p - 1), 2 * share, share);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Slices slices = turn.slices(((Collective.AllReduce) call).data().memory());
    Ring.reduce(slices, turn);
    Ring.gather(slices, turn);
  }
}
