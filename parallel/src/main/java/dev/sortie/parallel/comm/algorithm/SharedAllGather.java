package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Each member copies the parts straight from their owners' memory. Where a part can neither be seen
 * nor read by others, chunks of all parts pass through the stage.
 *
 * <p>Cost: 2(p−1)α, and (p−1)n read and written by each member.
 */
final class SharedAllGather implements Method {
  @Override
  public Operation operation() {
    return Operation.ALL_GATHER;
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
    return speed.seconds(2 * (p - 1), (p - 1.0) * n / 2, 0);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Collective.AllGather gather = (Collective.AllGather) call;
    MemorySegment mine = gather.mine().memory();
    MemorySegment all = gather.all().memory();
    long n = mine.byteSize();
    int me = turn.position();
    long[] places = turn.places(mine);
    all.asSlice(me * n, n).copyFrom(mine);
    if (!Places.allReadable(places)) {
      staged(mine, all, turn);
      return;
    }
    for (int i = 1; i < turn.size(); i++) {
      int from = turn.ring(i);
      turn.shared().read(from, places[from], 0, all.asSlice(from * n, n));
    }
    turn.meet();
  }

  /** Between two meetings each member fills the stage with chunk c+1 and takes chunk c. */
  private static void staged(MemorySegment mine, MemorySegment all, Turn turn) {
    long n = mine.byteSize();
    long chunks = Math.ceilDiv(n, Stage.CHUNK);
    for (long c = -1; c < chunks; c++) {
      if (c + 1 < chunks) {
        MemorySegment next = chunk(mine, c + 1);
        turn.stage().buffer(turn.position(), c + 1, next.byteSize()).copyFrom(next);
      }
      for (int i = 1; i < turn.size() && c >= 0; i++) {
        int from = turn.ring(i);
        MemorySegment to = chunk(all.asSlice(from * n, n), c);
        to.copyFrom(turn.stage().buffer(from, c, to.byteSize()));
      }
      turn.meet();
    }
  }

  private static MemorySegment chunk(MemorySegment data, long c) {
    long from = c * Stage.CHUNK;
    return data.asSlice(from, Math.min(Stage.CHUNK, data.byteSize() - from));
  }
}
