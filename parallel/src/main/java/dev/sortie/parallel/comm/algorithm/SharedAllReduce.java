package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import java.lang.foreign.MemorySegment;

/**
 * Each member sums one slice straight from all members' memory, in order, and writes the sum to
 * all. Private memory that others can read is read by all and written by its owner alone. Where a
 * buffer cannot be read, chunks pass through {@link StagingBuffers} instead.
 */
final class SharedAllReduce {
  /**
   * Bytes between two meetings where private memory is read: the sums are still in the cache of
   * their owner when others fetch them.
   */
  private static final long PULLED = 1L << 20;

  private SharedAllReduce() {}

  /**
   * 2(p−1)α, and the memory traffic: n read and n written by each member if all buffers are mapped.
   * Reading private memory adds a copy in the cache, staging one in and one out.
   */
  static double cost(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    return speed.seconds(2 * (p - 1), share, share);
  }

  static void run(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    PeerBuffers buffers = context.buffers(data);
    if (buffers.areMapped()) {
      direct(data, buffers, context);
    } else if (buffers.areReadable()) {
      pulled(data, buffers, context);
    } else {
      staged(data, context);
    }
  }

  private static void direct(MemorySegment data, PeerBuffers buffers, CollectiveContext context) {
    Slices slices = context.slices(data);
    int me = context.position();
    MemorySegment mine = slices.get(me);
    MemorySegment[] parts = new MemorySegment[context.size()];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = i == me ? mine : buffers.at(i, slices.from(me), mine.byteSize());
    }
    context.sum(parts, parts);
    context.barrier();
  }

  /**
   * Between two meetings each member fetches the sums of chunk c−1 from their owners and adds its
   * slice of chunk c.
   */
  private static void pulled(MemorySegment data, PeerBuffers buffers, CollectiveContext context) {
    int me = context.position();
    long chunks = Math.ceilDiv(data.byteSize(), PULLED);
    for (long c = 0; c <= chunks; c++) {
      if (c > 0) {
        Slices sums = chunk(data, c - 1, PULLED, context);
        for (int i = 1; i < context.size(); i++) {
          int owner = context.ring(i);
          long from = (c - 1) * PULLED + sums.from(owner);
          buffers.read(owner, from, sums.get(owner));
        }
      }
      if (c < chunks) {
        Slices slices = chunk(data, c, PULLED, context);
        MemorySegment mine = slices.get(me);
        buffers.sum(mine, c * PULLED + slices.from(me), mine, context);
      }
      context.barrier();
    }
  }

  /**
   * Between two meetings each member hands out the sums of chunk c−1, adds its slice of chunk c,
   * and fills its buffer with chunk c+1. The slice of a buffer that its owner need not send holds
   * the owner's sum.
   */
  private static void staged(MemorySegment data, CollectiveContext context) {
    long chunks = Math.ceilDiv(data.byteSize(), StagingBuffers.CHUNK);
    for (long c = -1; c <= chunks; c++) {
      if (c > 0) {
        takeSums(data, c - 1, context);
      }
      if (c >= 0 && c < chunks) {
        add(data, c, context);
      }
      if (c + 1 < chunks) {
        fill(data, c + 1, context);
      }
      if (c < chunks) {
        context.barrier();
      }
    }
  }

  private static void fill(MemorySegment data, long c, CollectiveContext context) {
    Slices from = chunk(data, c, StagingBuffers.CHUNK, context);
    Slices to = buffer(context.position(), from, c, context);
    for (int i = 0; i < context.size(); i++) {
      if (i != context.position()) {
        to.get(i).copyFrom(from.get(i));
      }
    }
  }

  private static void add(MemorySegment data, long c, CollectiveContext context) {
    Slices own = chunk(data, c, StagingBuffers.CHUNK, context);
    int me = context.position();
    MemorySegment[] parts = new MemorySegment[context.size()];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = i == me ? own.get(me) : buffer(i, own, c, context).get(me);
    }
    context.sum(parts, own.get(me), buffer(me, own, c, context).get(me));
  }

  private static void takeSums(MemorySegment data, long c, CollectiveContext context) {
    Slices to = chunk(data, c, StagingBuffers.CHUNK, context);
    for (int i = 0; i < context.size(); i++) {
      if (i != context.position()) {
        to.get(i).copyFrom(buffer(i, to, c, context).get(i));
      }
    }
  }

  private static Slices chunk(MemorySegment data, long c, long bytes, CollectiveContext context) {
    long from = c * bytes;
    return context.slices(data.asSlice(from, Math.min(bytes, data.byteSize() - from)));
  }

  private static Slices buffer(int member, Slices like, long c, CollectiveContext context) {
    return context.slices(context.staging().buffer(member, c, like.memory().byteSize()));
  }
}
