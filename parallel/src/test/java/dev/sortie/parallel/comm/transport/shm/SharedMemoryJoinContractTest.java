package dev.sortie.parallel.comm.transport.shm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport.Options;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ranks that die while all join: rank 1 has entered the control file, and its process has ended.
 */
@Timeout(20)
@Tag("any-kernels")
class SharedMemoryJoinContractTest {
  private static final Duration LONG = Duration.ofMinutes(5);

  @TempDir Path folder;

  @AfterEach
  void noFileIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  private Void join(int rank, int world) {
    SharedMemoryTransport.join(new Options(folder, "j", rank, world, LONG, LONG)).close();
    return null;
  }

  @Test
  void oneThatDiesBeforeAllHaveComeIsNamedAtOnceAlsoToThoseWhoComeLater() throws Exception {
    assumeTrue(
        ProcessNumbers.numbering() != ProcessNumbers.UNKNOWN, "the system does not tell numbers");
    try (ExecutorService ranks = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> first = ranks.submit(() -> join(0, 3));
      long process = enterAndDie(1, 3);
      Future<?> late = ranks.submit(() -> join(2, 3));
      for (Future<?> rank : new Future<?>[] {first, late}) {
        assertThatThrownBy(rank::get)
            .hasCauseInstanceOf(CommException.class)
            .hasMessageContaining("rank 1 (process " + process + ") has died");
      }
    }
  }

  @Test
  void oneThatDiesWhenAllHaveComeIsNamedAtOnce() throws Exception {
    assumeTrue(
        ProcessNumbers.numbering() != ProcessNumbers.UNKNOWN, "the system does not tell numbers");
    try (ExecutorService ranks = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> first = ranks.submit(() -> join(0, 2));
      long process = enterAndDie(1, 2);
      assertThatThrownBy(first::get)
          .hasCauseInstanceOf(CommException.class)
          .hasMessageContaining("rank 1 (process " + process + ") has died");
    }
  }

  @Test
  void numbersOfAnotherContainerTellNothing() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(ControlLayout.bytes(1), 64);
      Control control = new Control(memory);
      control.enter(0, arena.allocate(8, 8));
      assertThat(control.isGone(0)).isFalse();
      ControlLayout.LONG.set(memory, ControlLayout.rank(0) + ControlLayout.PROCESS, ended());
      assertThat(control.isGone(0)).isEqualTo(ProcessNumbers.numbering() != ProcessNumbers.UNKNOWN);
      for (long other : new long[] {ProcessNumbers.numbering() + 1, ProcessNumbers.UNKNOWN}) {
        ControlLayout.LONG.set(memory, ControlLayout.rank(0) + ControlLayout.NUMBERING, other);
        assertThat(control.isGone(0)).isFalse();
      }
    }
    assertThat(ProcessNumbers.read(folder.resolve("none"))).isEqualTo(ProcessNumbers.UNKNOWN);
  }

  /** Writes what a rank writes whose process has ended since; its number. */
  private long enterAndDie(int rank, int world) throws Exception {
    Path file = folder.resolve("sortie-j-control");
    long bytes = SharedFileLayout.CONTENTS + ControlLayout.bytes(world);
    while (!Files.exists(file) || Files.size(file) < bytes) {
      Thread.sleep(1);
    }
    try (Arena arena = Arena.ofShared();
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MemorySegment memory = channel.map(MapMode.READ_WRITE, 0, bytes, arena);
      while ((long) SharedFileLayout.COUNTER.getAcquire(memory, SharedFileLayout.READY) == 0) {
        Thread.sleep(1);
      }
      MemorySegment contents = SharedFile.contents(memory);
      long process = ended();
      MemorySegment stranger = contents.asSlice(ControlLayout.rank(rank));
      ControlLayout.LONG.set(stranger, ControlLayout.PROCESS, process);
      ControlLayout.LONG.set(stranger, ControlLayout.NUMBERING, ProcessNumbers.numbering());
      ControlLayout.LONG.setRelease(stranger, ControlLayout.BEAT, 1L);
      return process;
    }
  }

  private static long ended() throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--version")
            .redirectErrorStream(true)
            .start();
    process.getInputStream().readAllBytes();
    process.waitFor();
    return process.pid();
  }
}
