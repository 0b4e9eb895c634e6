package dev.sortie.parallel.comm.transport.shm;

import static dev.sortie.parallel.comm.transport.shm.RingLayout.CELLS;
import static dev.sortie.parallel.comm.transport.shm.RingLayout.COUNTER;
import static dev.sortie.parallel.comm.transport.shm.RingLayout.DATA;
import static dev.sortie.parallel.comm.transport.shm.RingLayout.EMPTIED;
import static dev.sortie.parallel.comm.transport.shm.RingLayout.INLINE;
import static dev.sortie.parallel.comm.transport.shm.RingLayout.READ;

import java.lang.foreign.MemorySegment;

/**
 * A queue of bytes between one producer and one consumer, in memory that both see. Each side has an
 * object of its own over the same memory and uses only its own half of the methods.
 *
 * <p>The producer copies bytes in and then publishes them by a release of the next cell's stamp; a
 * consumer that acquires the stamp sees them. A short piece lies next to its stamp, so that one
 * cache line goes from one core to the other, where a counter and data apart are two, one after the
 * other. The consumer gives the room back by a release of its counts.
 */
final class ByteRing {
  /**
   * Bytes published at a time, so that the consumer copies one piece while the producer copies the
   * next.
   */
  private static final long PIECE = 64L << 10;

  private final MemorySegment memory;
  private final long capacity;

  // The producer's: the next cell, bytes of data written, and the consumer's counts as last seen.
  private long filling = 1;
  private long written;
  private long emptiedSeen;
  private long readSeen;

  // The consumer's: the cell it reads, how many of its bytes it has, and bytes of data read.
  private long emptying = 1;
  private long taken;
  private long read;

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
    long left = from.byteSize() - at;
    if (left == 0 || !hasEmptyCell()) {
      return 0;
    }
    long wanted = Math.min(left, PIECE);
    long bytes = wanted <= INLINE ? wanted : Math.max(INLINE, Math.min(wanted, room(wanted)));
    if (bytes <= INLINE) {
      MemorySegment.copy(from, at, memory, RingLayout.contents(filling), bytes);
    } else {
      long start = written & capacity - 1;
      long first = Math.min(bytes, capacity - start);
      MemorySegment.copy(from, at, memory, DATA + start, first);
      if (first < bytes) {
        MemorySegment.copy(from, at + first, memory, DATA, bytes - first);
      }
      written += bytes;
    }
    COUNTER.setRelease(memory, RingLayout.cell(filling), RingLayout.stamp(filling, bytes));
    filling++;
    return bytes;
  }

  private boolean hasEmptyCell() {
    if (filling - emptiedSeen > CELLS) {
      emptiedSeen = (long) COUNTER.getAcquire(memory, EMPTIED);
    }
    return filling - emptiedSeen <= CELLS;
  }

  private long room(long wanted) {
    if (capacity - (written - readSeen) < wanted) {
      readSeen = (long) COUNTER.getAcquire(memory, READ);
    }
    return capacity - (written - readSeen);
  }

  /**
   * Fills {@code into} from {@code at} on with as many bytes as there are, a piece at most; a piece
   * that is longer than {@code into} is read in several calls.
   */
  long read(MemorySegment into, long at) {
    long stamp = (long) COUNTER.getAcquire(memory, RingLayout.cell(emptying));
    long piece = RingLayout.published(stamp, emptying);
    long bytes = Math.min(into.byteSize() - at, piece - taken);
    if (bytes <= 0) {
      return 0;
    }
    if (piece <= INLINE) {
      MemorySegment.copy(memory, RingLayout.contents(emptying) + taken, into, at, bytes);
    } else {
      long start = read & capacity - 1;
      long first = Math.min(bytes, capacity - start);
      MemorySegment.copy(memory, DATA + start, into, at, first);
      if (first < bytes) {
        MemorySegment.copy(memory, DATA, into, at + first, bytes - first);
      }
      read += bytes;
      COUNTER.setRelease(memory, READ, read);
    }
    taken += bytes;
    if (taken == piece) {
      taken = 0;
      COUNTER.setRelease(memory, EMPTIED, emptying);
      emptying++;
    }
    return bytes;
  }
}
