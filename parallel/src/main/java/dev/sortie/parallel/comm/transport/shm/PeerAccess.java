package dev.sortie.parallel.comm.transport.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.sortie.parallel.comm.transport.IdleStrategy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Optional;

/**
 * Whether the ranks of this machine can read each other's private memory. Each shows a random
 * number, tries to read those of all others by their processes' numbers, and says whether it could;
 * only if all could, any of them will. So ranks whose containers number processes otherwise, or may
 * not trace each other, use common memory alone.
 */
final class PeerAccess {
  private final Control control;
  private final int rank;
  private final int world;

  PeerAccess(Control control, int rank, int world) {
    this.control = control;
    this.rank = rank;
    this.world = world;
  }

  /** Tries all others and waits until all have tried. */
  boolean agree(SharedMemoryTransport transport, Duration deadline) {
    control.reach(rank, tryAll());
    IdleStrategy idle = new IdleStrategy(transport, deadline);
    boolean all = true;
    for (int i = 0; i < world; i++) {
      int peer = i;
      Optional<Boolean> reaches;
      while ((reaches = control.reachOf(peer)).isEmpty()) {
        idle.idle(
            () ->
                "rank %d waits for rank %d to say whether it can read others' memory"
                    .formatted(transport.rank().value(), transport.name(peer)));
      }
      all &= reaches.get();
    }
    return all;
  }

  /** Whether this rank can read what all ranks show. */
  boolean tryAll() {
    try (Arena arena = Arena.ofConfined()) {
      Optional<ProcessMemory> memory = ProcessMemory.open(arena);
      MemorySegment found = arena.allocate(JAVA_LONG);
      for (int i = 0; i < world && memory.isPresent(); i++) {
        int error = memory.get().read(control.process(i), control.probeAddress(i), found);
        if (error != 0 || found.get(JAVA_LONG, 0) != control.probe(i)) {
          return false;
        }
      }
      return memory.isPresent();
    }
  }
}
