package dev.sortie.parallel.comm.transport;

import static dev.sortie.parallel.comm.transport.RingLayout.COUNTER;
import static dev.sortie.parallel.comm.transport.RingLayout.DATA;
import static dev.sortie.parallel.comm.transport.RingLayout.HEAD;
import static dev.sortie.parallel.comm.transport.RingLayout.TAIL;

import java.lang.foreign.MemorySegment;

/**
 * A queue of bytes between one producer and one consumer, in memory that both see. Each side has an
 * object of its own over the same memory and uses only its own half of the methods.
 *
 * <p>The producer copies bytes in and then publishes them by a release of the tail; a consumer that
 * acquires the tail sees them. The consumer gives the room back by a release of the head.
 */
final class ByteRing {
  /**
   * Bytes published at a time, so that the consumer copies one piece while the producer copies the
   * next.
   */
  private static final long PIECE = 64L << 10;

  private final MemorySegment memory;
  private final long capacity;

  // The producer's: where it writes, and the head as it last saw it.
  private long tail;
  private long headSeen;

  // The consumer's: where it reads, and the tail as it last saw it.
  private long head;
  private long tailSeen;

  ByteRing(MemorySegment memory) {
    this.memory = memory;
    this.capacity = memory.byteSize() - DATA;
    if (capacity <= 0 || Long.bitCount(capacity) != 1) {
      throw new IllegalArgumentException(
          "the capacity of a ring must be a power of two, got " + capacity);
    }
  }

  /**
   * Copies as many bytes of {@code from} from {@code at} on as there is room for, a piece at most.
   */
  long write(MemorySegment from, long at) {
    long wanted = Math.min(from.byteSize() - at, PIECE);
    long room = capacity - (tail - headSeen);
    if (room < wanted) {
      headSeen = (long) COUNTER.getAcquire(memory, HEAD);
      room = capacity - (tail - headSeen);
    }
    long bytes = Math.min(wanted, room);
    if (bytes > 0) {
      long start = tail & capacity - 1;
      long first = Math.min(bytes, capacity - start);
      MemorySegment.copy(from, at, memory, DATA + start, first);
      if (first < bytes) {
        MemorySegment.copy(from, at + first, memory, DATA, bytes - first);
      }
      tail += bytes;
      COUNTER.setRelease(memory, TAIL, tail);
    }
    return bytes;
  }

  /** Fills {@code into} from {@code at} on with as many bytes as there are, a piece at most. */
  long read(MemorySegment into, long at) {
    long wanted = Math.min(into.byteSize() - at, PIECE);
    long ready = tailSeen - head;
    if (ready < wanted) {
      tailSeen = (long) COUNTER.getAcquire(memory, TAIL);
      ready = tailSeen - head;
    }
    long bytes = Math.min(wanted, ready);
    if (bytes > 0) {
      long start = head & capacity - 1;
      long first = Math.min(bytes, capacity - start);
      MemorySegment.copy(memory, DATA + start, into, at, first);
      if (first < bytes) {
        MemorySegment.copy(memory, DATA, into, at + first, bytes - first);
      }
      head += bytes;
      COUNTER.setRelease(memory, HEAD, head);
    }
    return bytes;
  }
}
