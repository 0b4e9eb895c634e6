package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.sortie.parallel.launch.Launcher;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The same job of two ranks, started in every way: the same bits. */
@Timeout(240)
@Tag("any-kernels")
class JobStartTest {
  private static final String TOKEN = "a secret of two ranks";

  private static List<String> command() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--add-modules",
        "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        Processes.classPath(),
        JobRank.class.getName());
  }

  /** What both ranks must print; the bits are those of the sum made here. */
  private static List<String> lines(String transport) {
    int bits = 0;
    for (long i = 0; i < JobRank.COUNT; i++) {
      bits =
          31 * bits + Float.floatToRawIntBits(ExactNumbers.rough(0, i) + ExactNumbers.rough(1, i));
    }
    return List.of(
        "rank 0 of 2 through %s: %08x".formatted(transport, bits),
        "rank 1 of 2 through %s: %08x".formatted(transport, bits));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static Map<String, String> meeting(Map<String, String> environment) throws IOException {
    Map<String, String> more = new LinkedHashMap<>(environment);
    more.put("MASTER_ADDR", "localhost");
    more.put("MASTER_PORT", String.valueOf(freePort()));
    more.put("SORTIE_JOB_TOKEN", TOKEN);
    return more;
  }

  @Test
  void byLaunch() throws Exception {
    List<String> out = new CopyOnWriteArrayList<>();
    Launcher launcher =
        new Launcher(
            new Launcher.Options(2, command(), 0, Duration.ZERO, Duration.ofSeconds(5)),
            line -> out.add(line.toString()),
            line -> {});
    assertThat(launcher.run()).isZero();
    List<String> lines = lines("shared memory");
    assertThat(out).containsExactlyInAnyOrder("[0] " + lines.getFirst(), "[1] " + lines.getLast());
  }

  @Test
  void byHandWithTheVariablesOfTorchrun() throws Exception {
    Map<String, String> job = meeting(System.getenv());
    job.put("WORLD_SIZE", "2");
    job.put("SORTIE_TRANSPORT", "tcp");
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<MpiInstallation.Outcome>> ranks = new ArrayList<>();
      for (int rank = 0; rank < 2; rank++) {
        Map<String, String> own = new LinkedHashMap<>(job);
        own.put("RANK", String.valueOf(rank));
        ranks.add(threads.submit(() -> MpiInstallation.outcome(command(), own)));
      }
      for (int rank = 0; rank < 2; rank++) {
        assertThat(ranks.get(rank).get().output()).contains(lines("TCP").get(rank));
      }
    }
  }

  @Test
  void byMpirunOverTcpAndOverMpi() throws Exception {
    List<MpiInstallation> all = MpiInstallation.all();
    assumeFalse(all.isEmpty(), "no mpirun on the path or in SORTIE_MPI");
    for (MpiInstallation mpi : all) {
      List<String> started = new ArrayList<>(List.of(mpi.launcher().toString(), "-n", "2"));
      started.addAll(command());
      Map<String, String> overTcp = meeting(mpi.environment());
      overTcp.put("SORTIE_TRANSPORT", "tcp");
      assertThat(MpiInstallation.outcome(started, overTcp).output())
          .as(mpi.toString())
          .contains(lines("TCP"));
      Map<String, String> overMpi = mpi.environment();
      overMpi.put("SORTIE_TRANSPORT", "mpi");
      assertThat(MpiInstallation.outcome(started, overMpi).output())
          .as(mpi.toString())
          .contains(lines("MPI"));
    }
  }
}
