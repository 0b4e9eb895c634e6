package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * The root deals out one slice to each member, then all gather the slices (van de Geijn).
 *
 * <p>Cost: 2(p−1)α + 2(p−1)/p·nβ.
 */
final class ScatterGatherBroadcast implements Method {
  @Override
  public Operation operation() {
    return Operation.BROADCAST;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.SCATTER_GATHER;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return speed.seconds(2 * (p - 1), 2 * (p - 1.0) / p * n, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.Broadcast) call).data().memory();
    Slices slices = turn.slices(data);
    if (turn.position() == call.root()) {
      Transfer[] all = new Transfer[turn.size() - 1];
      for (int i = 1; i < turn.size(); i++) {
        all[i - 1] = turn.to(turn.ring(i), slices.get(turn.ring(i)));
      }
      turn.run(all);
    } else {
      turn.receive(call.root(), slices.get(turn.position()));
    }
    ExchangeAllGather.gather(slices, turn);
  }
}
