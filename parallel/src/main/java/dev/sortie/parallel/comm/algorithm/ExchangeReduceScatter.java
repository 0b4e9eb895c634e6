package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Everyone sends each slice to its owner, who adds the p parts in order.
 *
 * <p>Cost, with p·n bytes a member: (p−1)α + (p−1)nβ + (p−1)nγ. Sums ascend.
 */
final class ExchangeReduceScatter implements Method {
  private static final long PIECE = 256L << 10;

  @Override
  public Operation operation() {
    return Operation.REDUCE_SCATTER;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.EXCHANGE;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double share = (p - 1.0) * n;
    double pieces = Math.max(1, Math.ceil((double) n / PIECE));
    return speed.seconds((p - 1) * pieces, share, share);
  }

  @Override
  public void run(Collective call, Turn turn) {
    Collective.ReduceScatter scatter = (Collective.ReduceScatter) call;
    MemorySegment all = scatter.all().memory();
    MemorySegment mine = scatter.mine().memory();
    long n = mine.byteSize();
    int p = turn.size();
    MemorySegment scratch = turn.scratch(Math.min(PIECE, n) * p);
    for (long at = 0; at < n; at += PIECE) {
      long size = Math.min(PIECE, n - at);
      MemorySegment[] pieces = new MemorySegment[p];
      for (int i = 0; i < p; i++) {
        pieces[i] = all.asSlice(i * n + at, size);
      }
      reduce(pieces, mine.asSlice(at, size), scratch, turn);
    }
  }

  /** The sum of everyone's slice of this member's position, in {@code mine}. */
  static void reduce(Slices slices, MemorySegment mine, MemorySegment scratch, Turn turn) {
    MemorySegment[] pieces = new MemorySegment[turn.size()];
    for (int i = 0; i < pieces.length; i++) {
      pieces[i] = slices.get(i);
    }
    reduce(pieces, mine, scratch, turn);
  }

  /**
   * All transfers run at once: no member waits for a slow one before it has to. Member {@code pos}
   * begins with its successor, so that not all send to the same one.
   */
  private static void reduce(
      MemorySegment[] pieces, MemorySegment mine, MemorySegment scratch, Turn turn) {
    int p = turn.size();
    MemorySegment[] parts = new MemorySegment[p];
    Transfer[] transfers = new Transfer[2 * (p - 1)];
    long size = mine.byteSize();
    for (int i = 1; i < p; i++) {
      int to = turn.ring(i);
      int from = turn.ring(-i);
      parts[from] = scratch.asSlice((i - 1) * size, size);
      transfers[i - 1] = turn.to(to, pieces[to]);
      transfers[p - 2 + i] = turn.from(from, parts[from]);
    }
    parts[turn.position()] = pieces[turn.position()];
    turn.run(transfers);
    turn.sum(parts, mine);
  }
}
