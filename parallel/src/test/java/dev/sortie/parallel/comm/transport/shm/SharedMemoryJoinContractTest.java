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
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** Another user, who could read or change what ranks say, or end the job. */
  @ParameterizedTest
  @ValueSource(strings = {"rw-r--r--", "rw-rw-rw-", "rw-----w-", "another owner"})
  void aFileThatOthersMayTouchIsRefused(String mode) throws IOException {
    Path file = new JobFiles(folder, "j").path("control");
    Files.write(file, new byte[(int) (SharedFileLayout.CONTENTS + ControlLayout.bytes(2))]);
    boolean foreign = mode.equals("another owner");
    Files.setPosixFilePermissions(
        file, PosixFilePermissions.fromString(foreign ? "rw-------" : mode));
    if (foreign) {
      give(file, "nobody");
    }
    assertThatThrownBy(() -> join(1, 2))
        .isInstanceOf(CommException.class)
        .hasMessageContaining("rank 1 cannot share memory through " + file)
        .hasMessageContaining(foreign ? "it is of nobody" : "with mode " + mode);
    assertThat(file).exists();
    Files.delete(file);
  }

  private static void give(Path file, String user) throws IOException {
    try {
      Files.setOwner(
          file, file.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(user));
    } catch (FileSystemException | UserPrincipalNotFoundException e) {
      assumeTrue(false, "files cannot be given to another user: " + e.getMessage());
    }
  }

  /** Who lists the folder sees names, and cannot tell the next one from them. */
  @Test
  void namesTellNeitherTheJobNorEachOther() throws IOException {
    JobFiles files = new JobFiles(folder, "j");
    Set<String> names = new HashSet<>();
    for (String name : new String[] {"control", "w", "w-0", "w-1"}) {
      assertThat(names.add(files.path(name).getFileName().toString())).isTrue();
      assertThat(files.path(name)).isEqualTo(new JobFiles(folder, "j").path(name));
      assertThat(new JobFiles(folder, "k").path(name)).isNotEqualTo(files.path(name));
    }
    assertThat(names).allMatch(name -> name.matches("sortie-[0-9a-f]{16}-[0-9a-f]{32}"));
    assertThat(names.stream().map(name -> name.substring(0, 24)).distinct()).hasSize(1);
  }

  @Test
  void whatIsLeftIsFoundAndRemovedAndNothingElse() throws IOException {
    JobFiles files = new JobFiles(folder, "j");
    Files.createFile(files.path("control"));
    Files.createFile(files.path("w-0"));
    Path other = Files.createFile(new JobFiles(folder, "k").path("control"));
    assertThat(files.left()).hasSize(2);
    files.remove();
    assertThat(files.left()).isEmpty();
    assertThat(other).exists();
    Files.delete(other);
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
    Path file = new JobFiles(folder, "j").path("control");
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
      MemorySegment outsider = contents.asSlice(ControlLayout.rank(rank));
      ControlLayout.LONG.set(outsider, ControlLayout.PROCESS, process);
      ControlLayout.LONG.set(outsider, ControlLayout.NUMBERING, ProcessNumbers.numbering());
      ControlLayout.LONG.setRelease(outsider, ControlLayout.BEAT, 1L);
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
