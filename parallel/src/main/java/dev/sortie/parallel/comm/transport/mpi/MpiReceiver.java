package dev.sortie.parallel.comm.transport.mpi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The receiving side of a pair: buffers that wait for messages, in the order of their sending. */
final class MpiReceiver {
  private static final int SLOTS = 4;

  private final MpiLibrary mpi;
  private final int from;
  private final int tag;
  private final Arena arena;
  private final MemorySegment[] buffers = new MemorySegment[SLOTS];
  private final MemorySegment[] requests = new MemorySegment[SLOTS];
  private boolean open;
  private int slot;

  // The message being handed out: its bytes, 0 for none, and how many were.
  private int length;
  private int taken;

  MpiReceiver(MpiLibrary mpi, int from, int tag, Arena arena) {
    this.mpi = mpi;
    this.from = from;
    this.tag = tag;
    this.arena = arena;
  }

  long receive(MemorySegment into, long at) {
    if (!open) {
      open();
    }
    if (length == 0) {
      length = Math.max(0, mpi.received(requests[slot]));
      taken = 0;
    }
    int bytes = (int) Math.min(length - taken, into.byteSize() - at);
    MemorySegment.copy(buffers[slot], taken, into, at, bytes);
    taken += bytes;
    if (length > 0 && taken == length) {
      mpi.receive(buffers[slot], from, tag, requests[slot]);
      length = 0;
      slot = (slot + 1) % SLOTS;
    }
    return bytes;
  }

  private void open() {
    open = true;
    for (int i = 0; i < SLOTS; i++) {
      buffers[i] = arena.allocate(MpiSender.CHUNK, 64);
      requests[i] = arena.allocate(Long.BYTES, 8);
      mpi.receive(buffers[i], from, tag, requests[i]);
    }
  }

  /** Takes back the buffers in which no message lies. */
  void close() {
    if (open) {
      for (int i = length > 0 ? 1 : 0; i < SLOTS; i++) {
        mpi.cancel(requests[(slot + i) % SLOTS]);
      }
    }
  }
}
