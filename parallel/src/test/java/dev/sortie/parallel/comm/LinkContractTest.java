package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.Link;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import dev.sortie.parallel.launch.RankEnvironment;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Links of processes that are no ranks: who has the secret and the certificate gets through. */
@Timeout(60)
class LinkContractTest {
  private static final byte[] SECRET = "a secret of this test".getBytes(StandardCharsets.UTF_8);
  private static final byte[] OTHER = "another of this test".getBytes(StandardCharsets.UTF_8);

  @TempDir private static Path folder;

  private static Optional<Tls> tls;
  private static Optional<Tls> otherTls;

  @BeforeAll
  static void makeKeys() throws Exception {
    tls = KeyStores.tls(KeyStores.create(folder, "one"));
    otherTls = KeyStores.tls(KeyStores.create(folder, "two"));
  }

  private static LinkListener listener(LinkKeys keys) throws IOException {
    return new LinkListener(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), keys);
  }

  private static InetSocketAddress address(LinkListener listener) throws IOException {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.port());
  }

  private static Stream<LinkKeys> keys() {
    return Stream.of(new LinkKeys(SECRET, Optional.empty()), new LinkKeys(SECRET, tls));
  }

  @ParameterizedTest
  @MethodSource("keys")
  void bytesArriveBothWaysOnSeveralLinks(LinkKeys keys) throws Exception {
    try (LinkListener listener = listener(keys)) {
      for (int i = 0; i < 3; i++) {
        byte[] bytes = new byte[200_000];
        new Random(i).nextBytes(bytes);
        try (Link caller = Link.call(address(listener), keys);
            Link taken = listener.take().orElseThrow()) {
          CompletableFuture<Void> echo =
              CompletableFuture.runAsync(
                  () -> {
                    try {
                      taken.out().write(taken.in().readNBytes(bytes.length));
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  });
          caller.out().write(bytes);
          assertThat(caller.in().readNBytes(bytes.length)).isEqualTo(bytes);
          echo.get();
          taken.silence(Duration.ofMillis(50));
          assertThatThrownBy(() -> taken.in().read()).isInstanceOf(IOException.class);
        }
      }
    }
  }

  @Test
  void whoLacksSecretOrCertificateIsRefusedAndOthersAreStillTaken() throws Exception {
    LinkKeys right = new LinkKeys(SECRET, tls);
    try (LinkListener listener = listener(right)) {
      InetSocketAddress there = address(listener);
      try (Socket noise = new Socket(there.getAddress(), there.getPort())) {
        noise.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> Link.call(there, new LinkKeys(OTHER, tls)))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("another secret");
        assertThatThrownBy(() -> Link.call(there, new LinkKeys(SECRET, otherTls)))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("certificate");
        assertThatThrownBy(() -> Link.call(there, new LinkKeys(SECRET, Optional.empty())))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("TLS");
        try (Link caller = Link.call(there, right)) {
          assertThat(listener.take()).isPresent();
          assertThat(caller.peer()).endsWith(":" + there.getPort());
        }
      }
    }
  }

  /** The secret is the same, but what is proved is not. */
  @Test
  void aRankOfAJobIsNoCallerOfALink() throws Exception {
    LinkKeys keys = new LinkKeys(SECRET, Optional.empty());
    try (LinkListener listener = listener(keys)) {
      TcpTransport.Options rank =
          new TcpTransport.Options(
              address(listener), 1, 2, SECRET, 0, Duration.ofSeconds(5), Duration.ofSeconds(5));
      assertThatThrownBy(() -> TcpTransport.join(rank))
          .isInstanceOf(CommException.class)
          .hasMessageContaining("it refused this rank");
    }
  }

  @Test
  void aClosedListenerHasNoMoreLinks() throws Exception {
    LinkListener listener = listener(new LinkKeys(SECRET, Optional.empty()));
    CompletableFuture<Boolean> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return listener.take().isEmpty();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    listener.close();
    assertThat(waiting.get()).isTrue();
    assertThat(listener.take()).isEmpty();
  }

  @Test
  void keysComeFromTheEnvironmentOfJobs() {
    Map<String, String> environment = Map.of(RankEnvironment.TOKEN, "0123456789abcdef");
    assertThat(RankEnvironment.linkKeys(environment).secret())
        .isEqualTo("0123456789abcdef".getBytes(StandardCharsets.UTF_8));
    assertThat(RankEnvironment.linkKeys(environment)).hasToString("a secret, without TLS");
    assertThatThrownBy(() -> RankEnvironment.linkKeys(Map.of(RankEnvironment.TOKEN, "short")))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("SORTIE_JOB_TOKEN has 5 characters; set it on both sides");
  }
}
