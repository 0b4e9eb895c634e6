package dev.sortie.parallel.comm.transport.shm;

import java.lang.foreign.MemorySegment;

/**
 * The rings of one member of a group: to and from each other member. The ring from member i to
 * member j is number {@code i·p + j} of the group's memory.
 */
final class Rings {
  /** A ring this large holds four pieces and stays in the second-level cache of both ends. */
  private static final long CAPACITY = 256L << 10;

  private static final long ALIGNMENT = 4096;

  private final ByteRing[] to;
  private final ByteRing[] from;

  Rings(MemorySegment memory, int position, int size) {
    to = new ByteRing[size];
    from = new ByteRing[size];
    for (int peer = 0; peer < size; peer++) {
      if (peer != position) {
        to[peer] = ring(memory, position * (long) size + peer);
        from[peer] = ring(memory, peer * (long) size + position);
      }
    }
  }

  /** Memory for the rings of a group. */
  static long bytes(int size) {
    return size * (long) size * stride();
  }

  long send(int peer, MemorySegment bytes, long at) {
    return to[peer].write(bytes, at);
  }

  long receive(int peer, MemorySegment bytes, long at) {
    return from[peer].read(bytes, at);
  }

  private static ByteRing ring(MemorySegment memory, long index) {
    return new ByteRing(memory.asSlice(index * stride(), RingLayout.bytes(CAPACITY)));
  }

  private static long stride() {
    return Math.ceilDiv(RingLayout.bytes(CAPACITY), ALIGNMENT) * ALIGNMENT;
  }
}
