package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * Each member copies the parts straight from their owners' memory. Where a part can neither be seen
 * nor read by others, chunks of all parts pass through {@link StagingBuffers}.
 */
final class SharedAllGather {
  private SharedAllGather() {}

  /** 2(p−1)α, and (p−1)n read and written by each member. */
  static double cost(long n, int p, LinkSpeed speed) {
    return speed.seconds(2 * (p - 1), (p - 1.0) * n / 2, 0);
  }

  static void run(Collective call, CollectiveContext context) {
    Collective.AllGather gather = (Collective.AllGather) call;
    MemorySegment mine = gather.mine().memory();
    MemorySegment all = gather.all().memory();
    long n = mine.byteSize();
    int me = context.position();
    PeerBuffers buffers = context.buffers(mine);
    all.asSlice(me * n, n).copyFrom(mine);
    if (!buffers.areReadable()) {
      staged(mine, all, context);
      return;
    }
    for (int i = 1; i < context.size(); i++) {
      int from = context.ring(i);
      buffers.read(from, 0, all.asSlice(from * n, n));
    }
    context.barrier();
  }

  /** Between two meetings each member fills its buffer with chunk c+1 and takes chunk c. */
  private static void staged(MemorySegment mine, MemorySegment all, CollectiveContext context) {
    long n = mine.byteSize();
    long chunks = Math.ceilDiv(n, StagingBuffers.CHUNK);
    for (long c = -1; c < chunks; c++) {
      if (c + 1 < chunks) {
        MemorySegment next = chunk(mine, c + 1);
        context.staging().buffer(context.position(), c + 1, next.byteSize()).copyFrom(next);
      }
      for (int i = 1; i < context.size() && c >= 0; i++) {
        int from = context.ring(i);
        MemorySegment to = chunk(all.asSlice(from * n, n), c);
        to.copyFrom(context.staging().buffer(from, c, to.byteSize()));
      }
      context.barrier();
    }
  }

  private static MemorySegment chunk(MemorySegment data, long c) {
    long from = c * StagingBuffers.CHUNK;
    return data.asSlice(from, Math.min(StagingBuffers.CHUNK, data.byteSize() - from));
  }
}
