package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * All send to the root, who adds in order, piece by piece.
 *
 * <p>Cost at the root: (p−1)(α + nβ + nγ). Sums ascend.
 */
final class GatherReduce implements Method {
  private static final long PIECE = 256L << 10;

  @Override
  public Operation operation() {
    return Operation.REDUCE;
  }

  @Override
  public Algorithm algorithm() {
    return Algorithm.GATHER;
  }

  @Override
  public double seconds(long n, int p, LinkSpeed speed) {
    double pieces = Math.max(1, Math.ceil((double) n / PIECE));
    return speed.seconds((p - 1) * pieces, (p - 1.0) * n, (p - 1.0) * n);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.Reduce) call).data().memory();
    boolean root = turn.position() == call.root();
    long n = data.byteSize();
    MemorySegment scratch = turn.scratch(root ? Math.min(PIECE, n) * (turn.size() - 1) : 0);
    for (long at = 0; at == 0 || at < n; at += PIECE) {
      MemorySegment piece = data.asSlice(at, Math.min(PIECE, n - at));
      if (root) {
        collect(piece, scratch, turn);
      } else {
        turn.send(call.root(), piece);
      }
    }
  }

  private static void collect(MemorySegment piece, MemorySegment scratch, Turn turn) {
    int p = turn.size();
    MemorySegment[] parts = new MemorySegment[p];
    Transfer[] transfers = new Transfer[p - 1];
    parts[turn.position()] = piece;
    for (int i = 1; i < p; i++) {
      int from = turn.ring(i);
      parts[from] = scratch.asSlice((i - 1) * piece.byteSize(), piece.byteSize());
      transfers[i - 1] = turn.from(from, parts[from]);
    }
    turn.run(transfers);
    turn.sum(parts, piece);
  }
}
