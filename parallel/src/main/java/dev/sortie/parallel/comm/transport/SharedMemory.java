package dev.sortie.parallel.comm.transport;

import java.lang.foreign.MemorySegment;

/**
 * Memory that all members of a group see, each of them owning the same number of bytes. Where the
 * system allows it, members can also read each other's private memory.
 */
public interface SharedMemory {
  /** The place of memory that only its owner sees and reads. */
  long PRIVATE = -1;

  /**
   * Zeroed memory of this member, valid until the endpoint is closed. A collective call with the
   * same size everywhere.
   */
  MemorySegment allocate(long bytes);

  /**
   * Where peers find {@code mine}: in memory that all see ({@link #isMapped}), in memory that they
   * can only {@link #read}, or {@link #PRIVATE}.
   */
  long place(MemorySegment mine);

  /** Whether {@link #at} finds this place. */
  static boolean isMapped(long place) {
    return place >= 0;
  }

  /** Whether {@link #read} can read from this place. */
  static boolean isReadable(long place) {
    return place != PRIVATE;
  }

  /** The {@code bytes} that {@code peer} has at {@code place}, which is seen. */
  MemorySegment at(int peer, long place, long bytes);

  /** Fills {@code into} with what {@code peer} has from {@code offset} on at a readable place. */
  void read(int peer, long place, long offset, MemorySegment into);
}
