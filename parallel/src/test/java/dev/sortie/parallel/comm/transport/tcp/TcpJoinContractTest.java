package dev.sortie.parallel.comm.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Ports;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A rank that is lost while all join is named to all others, at once and whatever it was doing. */
@Timeout(60)
@Tag("any-kernels")
@Tag("slow")
class TcpJoinContractTest {
  private static final int WORLD = 3;
  private static final byte[] SECRET = "sixteen and more bytes".getBytes(StandardCharsets.US_ASCII);
  private static final Duration JOINING = Duration.ofSeconds(20);
  private static final Duration SILENCE = Duration.ofSeconds(2);
  private static final Duration SOON = Duration.ofSeconds(8);

  /** How a process looks to the others when it has gone. */
  enum End {
    /** The system ends its connections. */
    CLOSED,
    /** The same with bytes unread: the next write meets a broken pipe. */
    RESET,
    /** It is stopped, or its machine has lost power. */
    SILENT
  }

  private InetSocketAddress master;

  @BeforeEach
  void chooseAPort() throws IOException {
    master = Ports.free();
  }

  /** What ends a rank that joins and then connects to all others. */
  private CompletableFuture<Throwable> join(int rank, Duration joining) {
    TcpTransport.Options options =
        new TcpTransport.Options(master, rank, WORLD, SECRET, 0, joining, SILENCE);
    return CompletableFuture.supplyAsync(
        () -> catchThrowable(() -> connect(options)), Thread::startVirtualThread);
  }

  private static void connect(TcpTransport.Options options) {
    Group all = new Group(IntStream.range(0, WORLD).mapToObj(GlobalRank::new).toList());
    try (TcpTransport transport = TcpTransport.join(options)) {
      transport.open("all", all, options.joining()).close();
    }
  }

  private Handshake handshake() {
    return new Handshake(SECRET, WORLD, 0);
  }

  private static void end(Connection connection, End how) throws IOException {
    if (how == End.RESET) {
      connection.socket().setOption(StandardSocketOptions.SO_LINGER, 0);
    }
    if (how != End.SILENT) {
      connection.close();
    }
  }

  private static void assertNames(CompletableFuture<Throwable> failure, int victim, End how)
      throws InterruptedException, ExecutionException {
    String reason =
        switch (how) {
          case CLOSED -> "is gone: its connection has ended";
          case RESET -> "(is gone: its connection has ended|cannot be reached: .*)";
          case SILENT -> "has shown no sign of life for 2000 ms";
        };
    assertThat(failure.get())
        .isInstanceOf(CommException.class)
        .hasMessageMatching("rank " + victim + " " + reason + "; rank \\d was joining");
  }

  /** A rank that proves itself to rank 0; where it says that it listens there is nobody. */
  private Connection joinAsARankThatWillBeLost(int rank) throws Exception {
    return joinWithPort(rank, Ports.free().getPort());
  }

  private Connection joinWithPort(int rank, int port) throws Exception {
    for (int attempt = 0; ; attempt++) {
      try {
        return new Connector(handshake(), Optional.empty())
            .call(master, new Hello(Hello.Purpose.JOIN, rank, port, ""));
      } catch (IOException e) {
        assertThat(attempt).as("rank 0 listens").isLessThan(500);
        Thread.sleep(10);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void aRankThatIsLostBeforeAllHaveComeIsNamedToThoseWhoComeLater(End how) throws Exception {
    long from = System.nanoTime();
    CompletableFuture<Throwable> first = join(0, JOINING);
    Connection victim = joinAsARankThatWillBeLost(2);
    end(victim, how);
    Thread.sleep(how == End.SILENT ? SILENCE.toMillis() + 300 : 300); // rank 0 knows now
    CompletableFuture<Throwable> second = join(1, JOINING);
    assertNames(first, 2, how);
    assertNames(second, 2, how);
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(SOON);
    victim.close();
  }

  @ParameterizedTest
  @CsvSource({"1, CLOSED", "1, RESET", "1, SILENT", "2, CLOSED", "2, RESET", "2, SILENT"})
  void aRankThatIsLostOnceAllHaveComeIsNamed(int rank, End how) throws Exception {
    long from = System.nanoTime();
    CompletableFuture<Throwable> first = join(0, JOINING);
    CompletableFuture<Throwable> other = join(3 - rank, JOINING);
    Connection victim = joinAsARankThatWillBeLost(rank);
    while (victim.in().read() != 4) {
      // signs of life, until rank 0 says where all listen
    }
    end(victim, how);
    assertThat(first.get()).hasMessageContaining("rank " + rank);
    assertThat(other.get()).hasMessageContaining("rank " + rank);
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(SOON);
    victim.close();
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void rankZeroIsNamedWhenItIsLost(End how) throws Exception {
    try (Listener host = new Listener(master, handshake(), Optional.empty(), WORLD)) {
      CompletableFuture<Throwable> first = join(1, JOINING);
      CompletableFuture<Throwable> second = join(2, JOINING);
      Connection[] connections = {takeJoining(host, 1), takeJoining(host, 2)};
      for (Connection connection : connections) {
        end(connection, how);
      }
      assertNames(first, 0, how);
      assertNames(second, 0, how);
      for (Connection connection : connections) {
        connection.close();
      }
    }
  }

  private static Connection takeJoining(Listener host, int rank) throws InterruptedException {
    Map.Entry<Hello, Connection> joined;
    while ((joined = host.takeJoining(rank)) == null) {
      Thread.sleep(5);
    }
    return joined.getValue();
  }

  /** It has the secret, so it is a rank; but nobody could connect to it. */
  @ParameterizedTest
  @ValueSource(ints = {70_000, -1, 0, Integer.MIN_VALUE})
  void aRankThatListensOnNoPortIsNamedToAll(int port) throws Exception {
    long from = System.nanoTime();
    CompletableFuture<Throwable> first = join(0, JOINING);
    CompletableFuture<Throwable> other = join(1, JOINING);
    try (Connection wrong = joinWithPort(2, port)) {
      for (CompletableFuture<Throwable> failure : List.of(first, other)) {
        assertThat(failure.get(SOON.toMillis(), TimeUnit.MILLISECONDS))
            .isInstanceOf(CommException.class)
            .hasMessageContaining("rank 2 joined from /127.0.0.1")
            .hasMessageContaining("listens on port " + port + ", expected 1 to 65535");
      }
      assertThat(wrong.socket().isOpen()).isTrue();
    }
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(SOON);
  }

  @Test
  void whoComesAfterRankZeroWasLostSaysThatItIsNotThere() throws Exception {
    assertThat(join(1, Duration.ofSeconds(1)).get(SOON.toMillis(), TimeUnit.MILLISECONDS))
        .hasMessageContaining("rank 1 waits for rank 0 at " + master);
  }
}
