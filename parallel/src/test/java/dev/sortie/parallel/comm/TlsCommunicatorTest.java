package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport.Options;
import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that talk over TCP under TLS, and what becomes of those that cannot. */
@Timeout(60)
@Tag("any-kernels")
@Tag("slow")
class TlsCommunicatorTest {
  private static final byte[] SECRET = "sixteen and more bytes".getBytes(StandardCharsets.US_ASCII);

  @TempDir private static Path folder;
  private static Path ours;
  private static Path others;
  private static Path trusting;

  @BeforeAll
  static void createKeys() throws Exception {
    // Keys of a connection are renewed after 128 GiB; here within the test. Read once a JVM.
    Security.setProperty("jdk.tls.keyLimits", "AES/GCM/NoPadding KeyUpdate 2^20");
    ours = KeyStores.create(folder, "ours");
    others = KeyStores.create(folder, "others");
    trusting = KeyStores.create(folder, "trusting");
    KeyStores.trust(trusting, ours, "ours");
  }

  private static Options options(InetSocketAddress master, int rank, int world, Optional<Tls> tls) {
    return options(master, rank, world, SECRET, tls);
  }

  private static Options options(
      InetSocketAddress master, int rank, int world, byte[] secret, Optional<Tls> tls) {
    Duration patience = Duration.ofSeconds(5);
    return new Options(master, rank, world, secret, 0, patience, patience, tls);
  }

  private static Job.Joining job(int ranks) throws IOException {
    InetSocketAddress master = Ports.free();
    return rank -> TcpTransport.join(options(master, rank, ranks, KeyStores.tls(ours)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void collectivesAreExact(int p) throws Exception {
    Job.run(
        p,
        job(p),
        ExactnessContract.OPTIONS,
        c -> {
          for (ElementType type : ElementType.values()) {
            for (long count : new long[] {0, 1, p + 1, 2003, 70_001}) {
              new ExactnessContract.Exactness(c, type, Order.ASCENDING).all(count);
            }
          }
        });
  }

  @Test
  void largeMessagesBothWaysAtOnceArriveThoughKeysAreRenewed() throws Exception {
    int count = 1_500_000;
    Job.run(
        2,
        job(2),
        ExactnessContract.OPTIONS,
        c -> {
          try (Arena arena = Arena.ofShared()) {
            Elements in = new Elements(ElementType.I64, arena.allocate(8 * count));
            Elements out = new Elements(ElementType.I64, arena.allocate(8 * count));
            int peer = 1 - c.position();
            ExactNumbers.fill(out, c.position(), 7);
            Handle sent = c.startSend(out, peer);
            c.receive(in, peer);
            sent.await();
            ExactNumbers.expect(in, i -> ExactNumbers.whole(peer, 7 + i));
          }
        });
  }

  @Test
  void theTransportSaysWhatItIs() throws Exception {
    try (TcpTransport alone = TcpTransport.join(options(Ports.free(), 0, 1, KeyStores.tls(ours)))) {
      assertThat(alone.name()).isEqualTo("TCP, TLS 1.3");
    }
  }

  /** The stores of ranks 0 and 1, none for no TLS; what rank 1 is told at once. */
  @ParameterizedTest
  @CsvSource({
    "ours, none, 'it talks with TLS, this rank without: set SORTIE_TLS_KEY_STORE on all ranks or'",
    "none, ours, 'it talks without TLS, this rank with: set SORTIE_TLS_KEY_STORE on all ranks or'",
    "ours, others, 'does not trust its certificate, which is not in SORTIE_TLS_KEY_STORE'",
    "ours, trusting, 'it does not trust this rank''s certificate (TLS alert '"
  })
  void aRankThatDoesNotFitIsToldWhy(String first, String second, String line) throws Exception {
    InetSocketAddress master = Ports.free();
    whileRankZeroWaits(
        master,
        store(first),
        () -> {
          long from = System.nanoTime();
          assertThatThrownBy(() -> TcpTransport.join(options(master, 1, 2, store(second))))
              .isInstanceOf(CommException.class)
              .message()
              .startsWith("rank 1 of 2 cannot join at ")
              .contains(line)
              .doesNotContain("\n");
          assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(4));
        });
  }

  @Test
  void theSecretIsAskedForInsideOfTls() throws Exception {
    InetSocketAddress master = Ports.free();
    byte[] wrong = "another secret of the same kind".getBytes(StandardCharsets.US_ASCII);
    whileRankZeroWaits(
        master,
        store("ours"),
        () ->
            assertThatThrownBy(() -> TcpTransport.join(options(master, 1, 2, wrong, store("ours"))))
                .hasMessageContaining("has another secret or is of another start"));
  }

  private static Optional<Tls> store(String name) {
    return switch (name) {
      case "none" -> Optional.empty();
      case "ours" -> KeyStores.tls(ours);
      case "others" -> KeyStores.tls(others);
      default -> KeyStores.tls(trusting);
    };
  }

  /** Rank 0 of a job of two, which is met by the right rank 1 when the test is done. */
  private static void whileRankZeroWaits(
      InetSocketAddress master, Optional<Tls> tls, Runnable test) {
    Job.run(
        2,
        rank -> {
          if (rank == 1) {
            test.run();
          }
          return TcpTransport.join(options(master, rank, 2, tls));
        },
        CommOptions.defaults(),
        Communicator::barrier);
  }

  @Test
  void outsidersGetAnAlertAtMostAndDisturbNobody() throws Exception {
    InetSocketAddress master = Ports.free();
    List<Socket> outsiders = new ArrayList<>();
    List<byte[]> strange = new ArrayList<>(TcpCommunicatorTest.strangeBytes());
    strange.add("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    strange.add(new byte[] {22, 3, 1, 64, 0}); // half a record, of the greatest length
    strange.add(new byte[] {22, 3, 1, 0, 4, 1, -1, -1, -1}); // a hello of 16 MiB begins
    Job.run(
        2,
        rank -> {
          if (rank == 1) {
            for (byte[] bytes : strange) {
              outsiders.add(TcpCommunicatorTest.knock(master, bytes));
            }
            assertThat(answerUnderTls(master, "TLSv1.3")).contains("certificate_required");
            assertThat(answerUnderTls(master, "TLSv1.2")).contains("protocol_version");
          }
          return TcpTransport.join(options(master, rank, 2, KeyStores.tls(ours)));
        },
        CommOptions.defaults(),
        c -> new ExactnessContract.Exactness(c, ElementType.F32, Order.ASCENDING).all(1000));
    for (Socket outsider : outsiders) {
      try (outsider) {
        outsider.setSoTimeout(8000);
        assertThat(TcpCommunicatorTest.answer(outsider)).hasSizeLessThanOrEqualTo(7);
      }
    }
  }

  /** How the port ends a connection under TLS of one that has no certificate. */
  private static String answerUnderTls(InetSocketAddress master, String protocol) throws Exception {
    SSLContext context = SSLContext.getInstance(protocol);
    context.init(null, new TrustManager[] {new Trusting()}, new SecureRandom());
    try (SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(master.getAddress(), master.getPort())) {
      socket.setSoTimeout(8000);
      socket.startHandshake();
      return "it said " + socket.getInputStream().read();
    } catch (SSLException | SocketException e) {
      return e.getMessage();
    }
  }

  private static final class Trusting implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {
      throw new UnsupportedOperationException("a caller");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {
      // whoever it is
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  @Test
  void whatIsWrongWithTheVariablesIsSaidInOneLine() throws Exception {
    Path text = Files.writeString(folder.resolve("text.p12"), "no key");
    Path missing = folder.resolve("missing.p12");
    Map<Map<String, String>, String> cases = new HashMap<>();
    cases.put(Map.of(Tls.KEY_STORE, ours.toString()), "SORTIE_TLS_PASSWORD is not set, but");
    cases.put(Map.of(Tls.PASSWORD, "x"), "SORTIE_TLS_KEY_STORE is not set, but");
    cases.put(
        Map.of(Tls.KEY_STORE, ours.toString(), Tls.PASSWORD, "wrong"),
        "SORTIE_TLS_PASSWORD is not the password of SORTIE_TLS_KEY_STORE=" + ours);
    cases.put(
        Map.of(Tls.KEY_STORE, missing.toString(), Tls.PASSWORD, "x"),
        "SORTIE_TLS_KEY_STORE=" + missing + " names no file");
    cases.put(
        Map.of(Tls.KEY_STORE, text.toString(), Tls.PASSWORD, "x"),
        "SORTIE_TLS_KEY_STORE=" + text + " cannot be read as a PKCS12 file");
    cases.forEach(
        (environment, line) ->
            assertThatThrownBy(() -> Tls.read(environment))
                .isInstanceOf(InputException.class)
                .message()
                .startsWith(line)
                .doesNotContain("\n"));
    assertThat(Tls.read(Map.of())).isEmpty();
  }
}
