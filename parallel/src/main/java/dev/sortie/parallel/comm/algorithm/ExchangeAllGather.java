package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;

/**
 * Everyone sends its part to everyone, all at once.
 *
 * <p>Cost: (p−1)α + (p−1)nβ; on links that work at the same time the latencies overlap.
 */
final class ExchangeAllGather implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_GATHER;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.EXCHANGE;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(p - 1, (p - 1.0) * n, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    gather(turn.placed((Collective.AllGather) call), turn);
  }

  /** Fills all slices from their owners. */
  static void gather(Slices slices, Turn turn) {
    int p = turn.size();
    Transfer[] transfers = new Transfer[2 * (p - 1)];
    for (int i = 1; i < p; i++) {
      int from = turn.ring(-i);
      transfers[i - 1] = turn.to(turn.ring(i), slices.get(turn.position()));
      transfers[p - 2 + i] = turn.from(from, slices.get(from));
    }
    turn.run(transfers);
  }
}
