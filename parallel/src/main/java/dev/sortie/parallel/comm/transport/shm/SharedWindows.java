package dev.sortie.parallel.comm.transport.shm;

import dev.sortie.parallel.comm.transport.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The pieces of shared memory of one group. A place is the number of the piece in the upper 16 bits
 * and an offset into the owner's part in the lower 48; of private memory that can be read, its
 * address with the sign bit set.
 */
abstract class SharedWindows implements SharedMemory {
  private static final int OFFSET_BITS = 48;
  private static final long PAGE = 4096;
  private static final long FOREIGN = Long.MIN_VALUE;

  private final int position;
  private final int size;
  private final List<MemorySegment[]> windows = new CopyOnWriteArrayList<>();

  SharedWindows(int position, int size) {
    this.position = position;
    this.size = size;
  }

  /** Maps {@code bytes} that all members map when they ask for the same {@code index}. */
  abstract MemorySegment map(int index, long bytes);

  /** Whether all members can {@link #readPrivate}. */
  boolean canReadPrivate() {
    return false;
  }

  /** Fills {@code into} with what a member's process has from {@code address} on. */
  void readPrivate(int peer, long address, MemorySegment into) {
    throw new IllegalStateException("members do not see each other's private memory");
  }

  @Override
  public final MemorySegment allocate(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("shared memory needs at least 1 byte, got " + bytes);
    }
    long stride = Math.ceilDiv(bytes, PAGE) * PAGE;
    MemorySegment all = map(windows.size(), Math.multiplyExact(stride, size));
    MemorySegment[] parts = new MemorySegment[size];
    for (int i = 0; i < size; i++) {
      parts[i] = all.asSlice(i * stride, bytes);
    }
    windows.add(parts);
    return parts[position];
  }

  @Override
  public final long place(MemorySegment mine) {
    for (int i = 0; i < windows.size(); i++) {
      MemorySegment part = windows.get(i)[position];
      long offset = mine.address() - part.address();
      if (offset >= 0 && offset + mine.byteSize() <= part.byteSize()) {
        return (long) i << OFFSET_BITS | offset;
      }
    }
    return canReadPrivate() ? FOREIGN | mine.address() : PRIVATE;
  }

  @Override
  public final MemorySegment at(int peer, long place, long bytes) {
    return windows.get((int) (place >>> OFFSET_BITS))[peer].asSlice(
        place & (1L << OFFSET_BITS) - 1, bytes);
  }

  @Override
  public final void read(int peer, long place, long offset, MemorySegment into) {
    if (SharedMemory.isMapped(place)) {
      into.copyFrom(at(peer, place + offset, into.byteSize()));
    } else {
      readPrivate(peer, (place & ~FOREIGN) + offset, into);
    }
  }
}
