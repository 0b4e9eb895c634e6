package dev.sortie.parallel.comm.transport.shm;

import dev.sortie.parallel.comm.transport.Endpoint;
import dev.sortie.parallel.comm.transport.SharedMemory;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** An endpoint whose members see the same memory: rings for messages, and windows. */
abstract class RingEndpoint implements Endpoint {
  private final Rings rings;
  private final SharedMemory shared;

  RingEndpoint(Rings rings, SharedMemory shared) {
    this.rings = rings;
    this.shared = shared;
  }

  @Override
  public final long send(int to, MemorySegment from, long at) {
    return rings.send(to, from, at);
  }

  @Override
  public final long receive(int from, MemorySegment into, long at) {
    return rings.receive(from, into, at);
  }

  @Override
  public final Optional<SharedMemory> shared() {
    return Optional.of(shared);
  }
}
