package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * Each member sums its part straight from all members' memory, in order. Private memory that others
 * can read is copied piece by piece; where there is a buffer that they cannot read, all go by
 * {@link Exchange#reduceScatter}.
 */
final class SharedReduceScatter {
  private SharedReduceScatter() {}

  /** 2(p−1)α, and p·n read and n written by each member. */
  static double cost(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) * n;
    return speed.seconds(2 * (p - 1), share / 2, share);
  }

  static void run(Collective call, CollectiveContext context) {
    Collective.ReduceScatter scatter = (Collective.ReduceScatter) call;
    MemorySegment mine = scatter.mine().memory();
    PeerBuffers buffers = context.buffers(scatter.all().memory());
    if (!buffers.areReadable()) {
      Exchange.reduceScatter(call, context);
      return;
    }
    long n = mine.byteSize();
    long at = context.position() * n;
    buffers.sum(scatter.all().memory().asSlice(at, n), at, mine, context);
    context.barrier();
  }
}
