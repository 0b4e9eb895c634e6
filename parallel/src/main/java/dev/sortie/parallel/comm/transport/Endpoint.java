package dev.sortie.parallel.comm.transport;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * One stream of bytes from each member of a group to each other one. Bytes arrive whole, in order
 * and once. Nothing blocks: a caller that has several transfers drives them in turns, so that two
 * members that send to each other at once never wait for each other. Streams to and from different
 * peers may be driven by different threads.
 */
public interface Endpoint extends AutoCloseable {

  /**
   * Takes some of the bytes of {@code from} from offset {@code at} on.
   *
   * @param to position in the group, another one
   * @return how many were taken; 0 when there is no room now
   */
  long send(int to, MemorySegment from, long at);

  /**
   * As {@link #send} of the beginning of a message, whose rest is sent next: the bytes may be held
   * back until then.
   */
  default long sendFirst(int to, MemorySegment from, long at) {
    return send(to, from, at);
  }

  /**
   * Fills some of {@code into} from offset {@code at} on.
   *
   * @param from position in the group, another one
   * @return how many bytes came; 0 when there are none now
   */
  long receive(int from, MemorySegment into, long at);

  /**
   * Whether a peer has closed its transport, and all that it had sent has been received or can be
   * received at once: no more will come.
   */
  boolean hasLeft(int peer);

  /** Memory that all members see, where this transport has it. */
  default Optional<SharedMemory> shared() {
    return Optional.empty();
  }

  @Override
  void close();
}
