package dev.sortie.parallel.comm.algorithm;

import dev.sortie.parallel.comm.Algorithm;
import dev.sortie.parallel.comm.Collective;
import dev.sortie.parallel.comm.LinkSpeed;
import dev.sortie.parallel.comm.Operation;
import java.lang.foreign.MemorySegment;

/**
 * Each member sums one slice straight from all members' memory, in order, and writes the sum to
 * all. Private memory that others can read is read by all and written by its owner alone. Where a
 * buffer cannot be read, chunks pass through the stage instead.
 *
 * <p>Cost: 2(p−1)α, and the memory traffic: n read and n written by each member if all buffers are
 * shared. Reading private memory adds a copy in the cache, the stage one in and one out.
 */
final class SharedAllReduce implements Method {
  /**
   * Bytes between two meetings where private memory is read: the sums are still in the cache of
   * their owner when others fetch them.
   */
  private static final long PULLED = 1L << 20;

  @Override
  public Operation operation() {
    return Operation.ALL_REDUCE;
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
    double share = (p - 1.0) / p * n;
    return speed.seconds(2 * (p - 1), share, share);
  }

  @Override
  public void run(Collective call, Turn turn) {
    MemorySegment data = ((Collective.AllReduce) call).data().memory();
    long[] places = turn.places(data);
    if (Places.allSeen(places)) {
      direct(data, places, turn);
    } else if (Places.allReadable(places)) {
      pulled(data, places, turn);
    } else {
      staged(data, turn);
    }
  }

  private static void direct(MemorySegment data, long[] places, Turn turn) {
    Slices slices = turn.slices(data);
    int me = turn.position();
    MemorySegment mine = slices.get(me);
    MemorySegment[] parts = new MemorySegment[turn.size()];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = i == me ? mine : turn.shared().at(i, places[i] + slices.from(me), mine.byteSize());
    }
    turn.sum(parts, parts);
    turn.meet();
  }

  /**
   * Between two meetings each member fetches the sums of chunk c−1 from their owners and adds its
   * slice of chunk c.
   */
  private static void pulled(MemorySegment data, long[] places, Turn turn) {
    int me = turn.position();
    long chunks = Math.ceilDiv(data.byteSize(), PULLED);
    for (long c = 0; c <= chunks; c++) {
      if (c > 0) {
        Slices sums = chunk(data, c - 1, PULLED, turn);
        for (int i = 1; i < turn.size(); i++) {
          int owner = turn.ring(i);
          long from = (c - 1) * PULLED + sums.from(owner);
          turn.shared().read(owner, places[owner], from, sums.get(owner));
        }
      }
      if (c < chunks) {
        Slices slices = chunk(data, c, PULLED, turn);
        MemorySegment mine = slices.get(me);
        PulledSum.of(mine, places, c * PULLED + slices.from(me), mine, turn);
      }
      turn.meet();
    }
  }

  /**
   * Between two meetings each member hands out the sums of chunk c−1, adds its slice of chunk c,
   * and fills the stage with chunk c+1. The slice of a buffer that its owner need not send holds
   * the owner's sum.
   */
  private static void staged(MemorySegment data, Turn turn) {
    long chunks = Math.ceilDiv(data.byteSize(), Stage.CHUNK);
    for (long c = -1; c <= chunks; c++) {
      if (c > 0) {
        takeSums(data, c - 1, turn);
      }
      if (c >= 0 && c < chunks) {
        add(data, c, turn);
      }
      if (c + 1 < chunks) {
        fill(data, c + 1, turn);
      }
      if (c < chunks) {
        turn.meet();
      }
    }
  }

  private static void fill(MemorySegment data, long c, Turn turn) {
    Slices from = chunk(data, c, Stage.CHUNK, turn);
    Slices to = buffer(turn.position(), from, c, turn);
    for (int i = 0; i < turn.size(); i++) {
      if (i != turn.position()) {
        to.get(i).copyFrom(from.get(i));
      }
    }
  }

  private static void add(MemorySegment data, long c, Turn turn) {
    Slices own = chunk(data, c, Stage.CHUNK, turn);
    int me = turn.position();
    MemorySegment[] parts = new MemorySegment[turn.size()];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = i == me ? own.get(me) : buffer(i, own, c, turn).get(me);
    }
    turn.sum(parts, own.get(me), buffer(me, own, c, turn).get(me));
  }

  private static void takeSums(MemorySegment data, long c, Turn turn) {
    Slices to = chunk(data, c, Stage.CHUNK, turn);
    for (int i = 0; i < turn.size(); i++) {
      if (i != turn.position()) {
        to.get(i).copyFrom(buffer(i, to, c, turn).get(i));
      }
    }
  }

  private static Slices chunk(MemorySegment data, long c, long bytes, Turn turn) {
    long from = c * bytes;
    return turn.slices(data.asSlice(from, Math.min(bytes, data.byteSize() - from)));
  }

  private static Slices buffer(int member, Slices like, long c, Turn turn) {
    return turn.slices(turn.stage().buffer(member, c, like.memory().byteSize()));
  }
}
