package dev.sortie.parallel.comm.transport.shm;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ranks read each other's memory only if each finds there what the other shows. */
@Tag("any-kernels")
class PeerAccessContractTest {
  private static final int NO_SUCH_PROCESS = 3;

  @Test
  void aRankWhoseMemoryHoldsSomethingElseCannotBeRead() {
    try (Arena arena = Arena.ofConfined()) {
      assumeTrue(ProcessMemory.open(arena).isPresent(), "the system has no process_vm_readv");
      Control control = new Control(arena.allocate(ControlLayout.bytes(2), 64));
      MemorySegment probe = arena.allocate(JAVA_LONG);
      control.enter(0, arena.allocate(JAVA_LONG));
      control.enter(1, probe);
      PeerAccess reach = new PeerAccess(control, 0, 2);
      assumeTrue(reach.tryAll(), "the system forbids even to read one's own memory");
      probe.set(JAVA_LONG, 0, probe.get(JAVA_LONG, 0) + 1);
      assertThat(reach.tryAll()).isFalse();
    }
  }

  @Test
  void whatARankHasSaidIsKnownOnceItHas() {
    try (Arena arena = Arena.ofConfined()) {
      Control control = new Control(arena.allocate(ControlLayout.bytes(2), 64));
      assertThat(control.reachOf(1)).isEmpty();
      control.reach(1, false);
      assertThat(control.reachOf(1)).isEqualTo(Optional.of(false));
      control.reach(1, true);
      assertThat(control.reachOf(1)).isEqualTo(Optional.of(true));
    }
  }

  @Test
  void aProcessThatIsGoneIsAnError() {
    try (Arena arena = Arena.ofConfined()) {
      Optional<ProcessMemory> memory = ProcessMemory.open(arena);
      assumeTrue(memory.isPresent(), "the system has no process_vm_readv");
      MemorySegment into = arena.allocate(JAVA_LONG);
      int none = 1 << 22; // above Linux's largest number of a process
      assertThat(memory.get().read(none + 1, into.address(), into)).isEqualTo(NO_SUCH_PROCESS);
    }
  }
}
