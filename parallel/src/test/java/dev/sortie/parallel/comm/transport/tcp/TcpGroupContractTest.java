package dev.sortie.parallel.comm.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.parallel.comm.CommException;
import dev.sortie.parallel.comm.Ports;
import dev.sortie.parallel.mesh.GlobalRank;
import dev.sortie.parallel.mesh.Group;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
@Tag("any-kernels")
class TcpGroupContractTest {
  private static final byte[] SECRET = "sixteen and more bytes".getBytes(StandardCharsets.US_ASCII);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** Rank 1 opens the first socket of a pair, and no other one. */
  @Test
  void socketsOfAGroupThatIsNotCompleteAreClosed() throws Exception {
    InetSocketAddress master = Ports.free();
    TcpTransport.Options options =
        new TcpTransport.Options(master, 0, 2, SECRET, 0, PATIENCE, PATIENCE);
    CompletableFuture<TcpTransport> joining =
        CompletableFuture.supplyAsync(() -> TcpTransport.join(options), Thread::startVirtualThread);
    Connector connector = new Connector(new Handshake(SECRET, 2, 0), Optional.empty());
    int port = Ports.free().getPort();
    try (Connection control = call(connector, master, new Hello(Hello.Purpose.JOIN, 1, port, ""));
        TcpTransport transport = joining.get();
        Connection stream = connector.call(master, new Hello(Hello.Purpose.STREAM, 1, 0, "all"))) {
      Group all = new Group(List.of(new GlobalRank(0), new GlobalRank(1)));
      assertThatThrownBy(() -> transport.open("all", all, Duration.ofMillis(300)))
          .isInstanceOf(CommException.class)
          .hasMessageContaining("rank 0 waits for rank 1 to connect");
      stream.socket().socket().setSoTimeout(5000);
      assertThat(stream.in().read()).isEqualTo(-1);
      assertThat(control.socket().isOpen()).isTrue();
    }
  }

  /** Rank 0 may not listen yet. */
  private static Connection call(Connector connector, InetSocketAddress master, Hello hello)
      throws Exception {
    for (int attempt = 0; ; attempt++) {
      try {
        return connector.call(master, hello);
      } catch (IOException e) {
        assertThat(attempt).as("rank 0 listens").isLessThan(500);
        Thread.sleep(10);
      }
    }
  }
}
