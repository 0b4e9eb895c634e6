package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.comm.transport.shm.JobFilesPaths;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport.Options;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are threads here, each with mappings of its own, as processes have. */
@Tag("slow")
@Tag("any-kernels")
class SharedMemoryCommunicatorTest extends CommunicatorContract {
  @TempDir Path folder;

  @Override
  Job.Joining job(int ranks) {
    String job = UUID.randomUUID().toString().replace("-", "");
    return rank ->
        SharedMemoryTransport.join(
            new Options(folder, job, rank, ranks, Duration.ofSeconds(20), Duration.ofSeconds(10)));
  }

  @Override
  boolean hasSharedMemory() {
    return true;
  }

  @AfterEach
  void noFileIsLeft() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void aJobThatLacksARankNamesItAndLeavesNothing() {
    Options alone =
        new Options(folder, "lonely", 0, 2, Duration.ofMillis(200), Duration.ofSeconds(10));
    assertThatThrownBy(() -> SharedMemoryTransport.join(alone))
        .isInstanceOf(CommException.class)
        .hasMessageContaining("rank 0 waits for rank 1 to join; rank 0 has come")
        .hasMessageContaining("200 ms");
  }

  @Test
  void aFileThatIsThereAlreadyIsNotTouched() throws IOException {
    Path outsider = Files.writeString(JobFilesPaths.control(folder, "taken"), "mine");
    Options options =
        new Options(folder, "taken", 0, 2, Duration.ofMillis(200), Duration.ofSeconds(10));
    assertThatThrownBy(() -> SharedMemoryTransport.join(options))
        .isInstanceOf(CommException.class)
        .hasMessageContaining("cannot share memory")
        .hasMessageContaining("there is such a file");
    assertThat(outsider).hasContent("mine");
    Files.delete(outsider);
  }

  /** Rank 0 is killed while it makes the file: before it has its length, or its contents. */
  @ParameterizedTest
  @ValueSource(ints = {0, 4096 + 1024 + 2 * 128})
  void whatRankZeroHasLeftHalfMadeIsRemovedByTheOthers(int length) throws IOException {
    Path file = Files.write(JobFilesPaths.control(folder, "half"), new byte[length]);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    Options options =
        new Options(folder, "half", 1, 2, Duration.ofMillis(200), Duration.ofSeconds(10));
    assertThatThrownBy(() -> SharedMemoryTransport.join(options))
        .isInstanceOf(CommException.class)
        .hasMessageContaining(
            "rank 1 waits for rank 0 to " + (length == 0 ? "make " : "fill ") + folder);
  }

  @Test
  void aRankThatLeavesEarlyIsNamed() throws Exception {
    assertThat(
            Job.failures(
                3,
                job(3),
                CommOptions.defaults(),
                c -> {
                  if (c.position() != 1) {
                    c.barrier();
                  }
                }))
        .satisfiesExactly(
            e -> assertThat(e).hasMessageContaining("rank 1 has left"),
            e -> assertThat(e).isNull(),
            e -> assertThat(e).hasMessageContaining("rank 1 has left"));
  }

  /** Some see a buffer in place, some read it from its owner, some do both; three chunks each. */
  @Test
  void buffersThatSomeShareAndOthersDoNotAreSummedAlike() throws Exception {
    long count = 600_001;
    Job.run(
        3,
        job(3),
        CommOptions.defaults(),
        c -> {
          MemorySegment common = c.allocate(4 * count);
          try (Arena arena = Arena.ofShared()) {
            MemorySegment own = arena.allocate(4 * count, 4);
            Elements data = new Elements(ElementType.F32, c.position() == 1 ? common : own);
            ExactNumbers.fill(data, c.position(), 0);
            c.run(new Collective.AllReduce(data, Order.ASCENDING));
            ExactNumbers.expect(data, i -> ExactNumbers.sum(3, i));
          }
        });
  }
}
