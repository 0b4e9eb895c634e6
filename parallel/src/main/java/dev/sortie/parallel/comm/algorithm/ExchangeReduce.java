package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Each slice is summed by its owner, in order, and sent to the root.
 *
 * <p>Cost: 2(p−1)α + 2(p−1)/p·nβ + (p−1)/p·nγ. Sums ascend.
 */
final class ExchangeReduce implements Method {
  @Override
  public Operation operation() {
    return Operation.REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.EXCHANGE;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    return ExchangeAllReduce.cost(n, p, speed);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.Reduce) call).data().memory();
    int p = turn.size();
    long slice = Math.min(ExchangeAllReduce.PIECE, data.byteSize());
    MemorySegment scratch = turn.scratch(slice * (p + 1));
    for (long at = 0; at < data.byteSize(); at += ExchangeAllReduce.PIECE * p) {
      Slices slices =
          turn.slices(
              data.asSlice(at, Math.min(ExchangeAllReduce.PIECE * p, data.byteSize() - at)));
      boolean root = turn.position() == call.root();
      MemorySegment own = slices.get(turn.position());
      MemorySegment sum = root ? own : scratch.asSlice(slice * p, own.byteSize());
      ExchangeReduceScatter.reduce(slices, sum, scratch, turn);
      if (root) {
        collect(slices, turn);
      } else {
        turn.send(call.root(), sum);
      }
    }
  }

  private static void collect(Slices slices, Turn turn) {
    Transfer[] all = new Transfer[turn.size() - 1];
    for (int i = 1; i < turn.size(); i++) {
      all[i - 1] = turn.from(turn.ring(i), slices.get(turn.ring(i)));
    }
    turn.run(all);
  }
}
