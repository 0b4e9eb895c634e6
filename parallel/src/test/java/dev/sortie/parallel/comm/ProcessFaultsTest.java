package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sortie.parallel.comm.transport.shm.JobFiles;
import dev.sortie.parallel.comm.transport.shm.SharedMemoryTransport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What happens to a job of processes when one of them, or their memory, gives way. The seed decides
 * transport, number of ranks, victim and moment. {@code -Dsortie.faults=20} for more seeds.
 */
@Timeout(90)
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "faults are POSIX signals")
@Tag("any-kernels")
@Tag("slow")
class ProcessFaultsTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  static final String CALL =
      "(?s).*rank \\d+ .*(message|broadcast|reduce|all-reduce|reduce-scatter|all-gather|all-to-all"
          + "|barrier|allocate|split)\\b.*";

  private final String job = UUID.randomUUID().toString().replace("-", "");
  private final List<Processes.Running> ranks = new ArrayList<>();
  private int port;

  static IntStream seeds() {
    return Seeds.faults(2);
  }

  /** For what takes as long as ranks wait for each other while they join. */
  static IntStream fewSeeds() {
    return Seeds.faults(1).map(seed -> seed + 1);
  }

  @BeforeEach
  void takeAPort() throws IOException {
    port = Ports.free().getPort();
  }

  private void start(String transport, Path folder, int world, long seed) throws IOException {
    for (int rank = 0; rank < world; rank++) {
      ranks.add(
          Processes.start(
              FaultyRank.class,
              transport,
              folder.toString(),
              job,
              port + "",
              rank + "",
              world + "",
              seed + ""));
    }
  }

  private static String transport(int seed) {
    return seed % 2 == 0 ? "shared-memory" : "tcp";
  }

  private void awaitReady() throws IOException {
    for (Processes.Running rank : ranks) {
      rank.await("ready");
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void aKilledRankIsNamedWithTheCallThatItEnded(int seed) throws Exception {
    Random random = new Random(seed);
    int world = 2 + random.nextInt(3);
    int victim = random.nextInt(world);
    start(transport(seed), SharedMemoryTransport.folder(), world, seed);
    awaitReady();
    Thread.sleep(random.nextInt(300));
    ranks.get(victim).signal("KILL");
    survivorsName(victim);
  }

  @ParameterizedTest
  @MethodSource("fewSeeds")
  void aRankThatIsKilledWhileAllJoinIsNamed(int seed) throws Exception {
    Random random = new Random(seed);
    int world = 2 + random.nextInt(2);
    int victim = random.nextInt(world);
    start(transport(seed), SharedMemoryTransport.folder(), world, seed);
    Thread.sleep(random.nextInt(600));
    ranks.get(victim).signal("KILL");
    for (int rank = 0; rank < world; rank++) {
      if (rank != victim) {
        assertThat(ranks.get(rank).lastLine(LIMIT)).contains("rank " + victim);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void aStoppedRankIsNamedWithTheCallThatItEnded(int seed) throws Exception {
    Random random = new Random(seed);
    int world = 2 + random.nextInt(3);
    int victim = random.nextInt(world);
    start(transport(seed), SharedMemoryTransport.folder(), world, seed);
    awaitReady();
    Thread.sleep(random.nextInt(300));
    ranks.get(victim).signal("STOP");
    survivorsName(victim);
    ranks.get(victim).signal("CONT"); // it finds out that it was given up
    assertThat(ranks.get(victim).lastLine(LIMIT)).matches(CALL);
  }

  /** As on a machine that sleeps, or by job control: no rank takes the others for lost. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aJobThatIsStoppedAsAWholeContinues(int seed) throws Exception {
    start(transport(seed), SharedMemoryTransport.folder(), 2, seed);
    awaitReady();
    signalAll("STOP");
    Thread.sleep(FaultyRank.SILENCE.toMillis() * 5 / 4);
    signalAll("CONT");
    Thread.sleep(1500);
    for (Processes.Running rank : ranks) {
      assertThat(rank.process().isAlive()).isTrue();
    }
  }

  private void signalAll(String name) throws Exception {
    for (Processes.Running rank : ranks) {
      rank.signal(name);
    }
  }

  private void survivorsName(int victim) throws Exception {
    for (int rank = 0; rank < ranks.size(); rank++) {
      if (rank != victim) {
        String line = ranks.get(rank).lastLine(LIMIT);
        assertThat(line).startsWith("LOST_RANK rank " + victim + " ").matches(CALL);
        assertThat(ranks.get(rank).process().exitValue()).isEqualTo(3);
      }
    }
  }

  /** The seed decides how much memory there is: enough to join, for a communicator, for buffers. */
  @ParameterizedTest
  @MethodSource("seeds")
  void fullSharedMemoryIsNamedWithTheCallThatNeededIt(int seed, @TempDir Path folder)
      throws Exception {
    Random random = new Random(seed);
    int world = 2 + random.nextInt(2);
    long pages = 3 + (long) (2200 * random.nextDouble());
    mount(folder, 4096 * pages);
    try {
      start("shared-memory", folder, world, seed);
      for (Processes.Running rank : ranks) {
        String line = rank.lastLine(LIMIT);
        assertThat(line).contains("rank 0 cannot share memory through").matches(CALL);
        assertThat(rank.process().exitValue()).isEqualTo(3);
      }
      try (Stream<Path> files = Files.list(folder)) {
        assertThat(files).isEmpty();
      }
    } finally {
      new ProcessBuilder("umount", folder.toString()).inheritIO().start().waitFor();
    }
  }

  private static void mount(Path folder, long bytes) throws Exception {
    Process mount =
        new ProcessBuilder(
                "mount", "-t", "tmpfs", "-o", "size=" + bytes, "tmpfs", folder.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(mount.getInputStream().readAllBytes()).strip();
    assumeTrue(mount.waitFor() == 0, () -> "a small folder in memory cannot be mounted: " + said);
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    for (Processes.Running rank : ranks) {
      rank.process().destroyForcibly().onExit().join();
    }
    assertThat(new JobFiles(SharedMemoryTransport.folder(), job).left()).isEmpty();
    new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
  }
}
