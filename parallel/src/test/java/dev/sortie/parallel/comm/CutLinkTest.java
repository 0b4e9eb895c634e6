package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A link between two ranks that breaks in all the ways links do. The seed decides the number of
 * ranks, the link and the moment. {@code -Dsortie.faults=20} for more seeds.
 */
@Timeout(60)
@Tag("any-kernels")
@Tag("slow")
class CutLinkTest {
  private static final Duration JOINING = Duration.ofSeconds(5);

  /** Those that TLS could make look otherwise. */
  private static final List<FaultyProxy.Fault> UNDER_TLS =
      List.of(
          FaultyProxy.Fault.SLOW,
          FaultyProxy.Fault.RESET,
          FaultyProxy.Fault.END,
          FaultyProxy.Fault.DAMAGE);

  @TempDir private static Path folder;
  private static Optional<Tls> tls;

  @BeforeAll
  static void createKey() throws Exception {
    tls = KeyStores.tls(KeyStores.create(folder, "job"));
  }

  static Stream<Arguments> faults() {
    List<Arguments> all = new ArrayList<>();
    for (FaultyProxy.Fault fault : FaultyProxy.Fault.values()) {
      for (int seed : Seeds.faults(1).toArray()) {
        all.add(Arguments.of(fault, seed, false));
        if (UNDER_TLS.contains(fault)) {
          all.add(Arguments.of(fault, seed, true));
        }
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("faults")
  void aLinkThatBreaksEndsAllRanksWithTheRankAndTheCall(
      FaultyProxy.Fault fault, int seed, boolean underTls) throws Exception {
    Random random = new Random(seed);
    int world = 2 + random.nextInt(3);
    int victim = 1 + random.nextInt(world - 1);
    InetSocketAddress master = Ports.free();
    long from = System.nanoTime();
    boolean harmless = fault == FaultyProxy.Fault.NONE || fault == FaultyProxy.Fault.SLOW;
    List<Throwable> failures;
    try (FaultyProxy link = new FaultyProxy(master, fault, 200_000 + random.nextInt(1_000_000))) {
      failures =
          Job.failures(
              world,
              rank ->
                  TcpTransport.join(
                      new TcpTransport.Options(
                          rank == victim ? link.address() : master,
                          rank,
                          world,
                          FaultyRank.SECRET,
                          0,
                          JOINING,
                          Duration.ofSeconds(2),
                          underTls ? tls : Optional.empty())),
              CommOptions.defaults(),
              c -> FaultyRank.call(c, seed, harmless ? 40 : Integer.MAX_VALUE));
    }
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(30));
    if (harmless) {
      assertThat(failures).containsOnlyNulls();
    } else {
      assertThat(failures)
          .allSatisfy(
              e ->
                  assertThat(e)
                      .isInstanceOf(CommException.class)
                      .message()
                      .containsPattern("rank (0|" + victim + ")\\b")
                      .matches(ProcessFaultsTest.CALL));
    }
    Ports.awaitFree(master);
  }
}
