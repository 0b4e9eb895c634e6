package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Each member sums its part straight from all members' memory, in order. Private memory that others
 * can read is copied piece by piece; where there is a buffer that they cannot read, all go by
 * {@link ExchangeReduceScatter}.
 *
 * <p>Cost: 2(p−1)α, and p·n read and n written by each member. Sums ascend.
 */
final class SharedReduceScatter implements Method {
  private final ExchangeReduceScatter exchange = new ExchangeReduceScatter();

  @Override
  public Operation operation() {
    return Operation.REDUCE_SCATTER;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.SHARED_MEMORY;
  }

  @Override
  public boolean needsSharedMemory() {
    return true;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) * n;
    return speed.seconds(2 * (p - 1), share / 2, share);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Collective.ReduceScatter scatter = (Collective.ReduceScatter) call;
    MemorySegment mine = scatter.mine().memory();
    long[] places = turn.places(scatter.all().memory());
    if (!Places.allReadable(places)) {
      exchange.run(call, turn);
      return;
    }
    long n = mine.byteSize();
    PulledSum.of(
        scatter.all().memory().asSlice(turn.position() * n, n),
        places,
        turn.position() * n,
        mine,
        turn);
    turn.meet();
  }
}
