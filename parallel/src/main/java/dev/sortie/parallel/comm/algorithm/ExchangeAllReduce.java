package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Each slice goes from everyone to its owner, who adds the p parts in order and sends the sum back
 * to everyone.
 *
 * <p>Cost: 2(p−1)α + 2(p−1)/p·nβ + (p−1)/p·nγ, as the ring's, but the sums ascend.
 */
final class ExchangeAllReduce implements Method {
  /**
   * Bytes of a slice that are worked on at a time, so that the parts are still in the cache when
   * they are added.
   */
  private static final long PIECE = 256L << 10;

  @Override
  public Operation operation() {
    return Operation.ALL_REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.EXCHANGE;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    double pieces = Math.max(1, Math.ceil((double) n / (PIECE * p)));
    return speed.seconds(2 * (p - 1) * pieces, 2 * share, share);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    int p = turn.size();
    MemorySegment scratch = turn.scratch(Math.min(PIECE, data.byteSize()) * p);
    long piece = PIECE * p;
    for (long at = 0; at < data.byteSize(); at += piece) {
      Slices slices = turn.slices(data.asSlice(at, Math.min(piece, data.byteSize() - at)));
      ExchangeReduceScatter.reduce(slices, slices.get(turn.position()), scratch, turn);
      ExchangeAllGather.gather(slices, turn);
    }
  }
}
