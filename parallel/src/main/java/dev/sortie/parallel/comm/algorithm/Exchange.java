package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.message.Transfer;
import java.lang.foreign.MemorySegment;

/**
 * Every member talks to every other one at once: each slice goes to its owner, who adds the p parts
 * in order, or comes from there. On links that work at the same time the latencies overlap.
 */
final class Exchange {
  /**
   * Bytes of a slice that are worked on at a time, so that the parts are still in the cache when
   * they are added.
   */
  private static final long PIECE = 256L << 10;

  private Exchange() {}

  /** (p−1)α + (p−1)nβ. */
  static double allGatherCost(long n, int p, LinkSpeed speed) {
    return speed.seconds(p - 1, (p - 1.0) * n, 0);
  }

  static void allGather(Collective call, CollectiveContext context) {
    gather(context.gathered((Collective.AllGather) call), context);
  }

  /** (p−1)α for each piece of a part + (p−1)nβ + (p−1)nγ. */
  static double reduceScatterCost(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) * n;
    double pieces = Math.max(1, Math.ceil((double) n / PIECE));
    return speed.seconds((p - 1) * pieces, share, share);
  }

  static void reduceScatter(Collective call, CollectiveContext context) {
    Collective.ReduceScatter scatter = (Collective.ReduceScatter) call;
    MemorySegment all = scatter.all().memory();
    MemorySegment mine = scatter.mine().memory();
    long n = mine.byteSize();
    MemorySegment[] pieces = new MemorySegment[context.size()];
    MemorySegment scratch = context.scratch(Math.min(PIECE, n) * pieces.length);
    for (long at = 0; at < n; at += PIECE) {
      long size = Math.min(PIECE, n - at);
      for (int i = 0; i < pieces.length; i++) {
        pieces[i] = all.asSlice(i * n + at, size);
      }
      reduce(pieces, mine.asSlice(at, size), scratch, context);
    }
  }

  /** As the ring's, 2(p−1)α for each piece of a slice + 2(p−1)/p·nβ + (p−1)/p·nγ. */
  static double allReduceCost(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) / p * n;
    double pieces = Math.max(1, Math.ceil((double) n / (PIECE * p)));
    return speed.seconds(2 * (p - 1) * pieces, 2 * share, share);
  }

  /** Each owner sends its sum back to everyone. */
  static void allReduce(Collective call, CollectiveContext context) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    MemorySegment[] pieces = new MemorySegment[context.size()];
    MemorySegment scratch = context.scratch(Math.min(PIECE, data.byteSize()) * pieces.length);
    long step = PIECE * pieces.length;
    for (long at = 0; at < data.byteSize(); at += step) {
      Slices slices = context.slices(data.asSlice(at, Math.min(step, data.byteSize() - at)));
      for (int i = 0; i < pieces.length; i++) {
        pieces[i] = slices.get(i);
      }
      reduce(pieces, pieces[context.position()], scratch, context);
      gather(slices, context);
    }
  }

  /** Fills all slices from their owners. */
  static void gather(Slices slices, CollectiveContext context) {
    int p = context.size();
    Transfer[] transfers = new Transfer[2 * (p - 1)];
    for (int i = 1; i < p; i++) {
      int from = context.ring(-i);
      transfers[i - 1] = context.to(context.ring(i), slices.get(context.position()));
      transfers[p - 2 + i] = context.from(from, slices.get(from));
    }
    context.run(transfers);
  }

  /**
   * The sum of what everyone has for this member, in {@code mine}. All transfers run at once: no
   * member waits for a slow one before it has to. Each begins with its successor, so that not all
   * send to the same one.
   *
   * @param pieces what this member has for each
   */
  private static void reduce(
      MemorySegment[] pieces,
      MemorySegment mine,
      MemorySegment scratch,
      CollectiveContext context) {
    int p = context.size();
    MemorySegment[] parts = new MemorySegment[p];
    Transfer[] transfers = new Transfer[2 * (p - 1)];
    long size = mine.byteSize();
    for (int i = 1; i < p; i++) {
      int to = context.ring(i);
      int from = context.ring(-i);
      parts[from] = scratch.asSlice((i - 1) * size, size);
      transfers[i - 1] = context.to(to, pieces[to]);
      transfers[p - 2 + i] = context.from(from, parts[from]);
    }
    parts[context.position()] = pieces[context.position()];
    context.run(transfers);
    context.sum(parts, mine);
  }
}
