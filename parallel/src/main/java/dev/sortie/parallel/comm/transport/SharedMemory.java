package dev.sortie.parallel.comm.transport;

import java.lang.foreign.MemorySegment;

/** Memory that all members of a group see, each of them owning the same number of bytes. */
public interface SharedMemory {
  /** The place of memory that only its owner sees. */
  long PRIVATE = -1;

  /**
   * Zeroed memory of this member, valid until the endpoint is closed. A collective call with the
   * same size everywhere.
   */
  MemorySegment allocate(long bytes);

  /** Where peers find {@code mine}, or {@link #PRIVATE}. */
  long place(MemorySegment mine);

  /** The {@code bytes} that {@code peer} has at {@code place}. */
  MemorySegment at(int peer, long place, long bytes);
}
