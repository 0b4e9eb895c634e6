package dev.sortie.parallel.comm.transport.mpi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The sending side of a pair. Bytes are copied into buffers of the transport, since the library may
 * read them until their message has gone, and a caller whose job has failed cannot wait for that.
 */
final class MpiSender {
  /** Bytes of a message at most: beyond it the copies leave the second-level cache. */
  static final int CHUNK = 128 << 10;

  private static final int SLOTS = 4;

  private final MpiLibrary mpi;
  private final int to;
  private final int tag;
  private final Arena arena;
  private final MemorySegment[] buffers = new MemorySegment[SLOTS];
  private final MemorySegment[] requests = new MemorySegment[SLOTS];
  private long begun;
  private long done;

  /**
   * @param arena of the buffers, which outlive the pair
   */
  MpiSender(MpiLibrary mpi, int to, int tag, Arena arena) {
    this.mpi = mpi;
    this.to = to;
    this.tag = tag;
    this.arena = arena;
  }

  long send(MemorySegment from, long at) {
    if (begun - done == SLOTS && isBusy()) {
      return 0;
    }
    int slot = (int) (begun % SLOTS);
    if (buffers[slot] == null) {
      buffers[slot] = arena.allocate(CHUNK, 64);
      requests[slot] = arena.allocate(Long.BYTES, 8);
    }
    int bytes = (int) Math.min(CHUNK, from.byteSize() - at);
    MemorySegment.copy(from, at, buffers[slot], 0, bytes);
    mpi.send(buffers[slot], bytes, to, tag, requests[slot]);
    begun++;
    return bytes;
  }

  /** Whether the oldest message has not gone. */
  private boolean isBusy() {
    if (!mpi.isDone(requests[(int) (done % SLOTS)])) {
      return true;
    }
    done++;
    return false;
  }

  /** Whether all messages have gone. */
  boolean isFlushed() {
    while (done < begun) {
      if (isBusy()) {
        return false;
      }
    }
    return true;
  }
}
