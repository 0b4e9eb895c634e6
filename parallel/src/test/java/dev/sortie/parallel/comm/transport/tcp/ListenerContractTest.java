package dev.sortie.parallel.comm.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is let in, and what those who are not get: a greeting and, for a wrong proof, a refusal. */
@Timeout(30)
@Tag("any-kernels")
class ListenerContractTest {
  private static final byte[] SECRET = "sixteen and more bytes".getBytes(StandardCharsets.US_ASCII);
  private static final long MAGIC = 0x736f72746965_0002L;
  private static final int GREETING = 40;
  private static final Hello JOIN = new Hello(Hello.Purpose.JOIN, 1, 4711, "");

  private final List<String> log = new CopyOnWriteArrayList<>();
  private final List<Socket> sockets = new ArrayList<>();
  private Listener listener;

  @BeforeEach
  void listen() throws IOException {
    listener =
        new Listener(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new Handshake(SECRET, 4, 0),
            Optional.empty(),
            new PendingConnections(4, log::add));
  }

  @AfterEach
  void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), listener.port());
    socket.setSoTimeout(10_000);
    sockets.add(socket);
    return socket;
  }

  private static void call(Handshake handshake, Socket socket) throws IOException {
    handshake.call(socket.getInputStream(), socket.getOutputStream(), JOIN);
  }

  /** All bytes until the listener ends the connection. */
  private static byte[] answer(Socket socket) throws IOException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try {
      for (int b; (b = socket.getInputStream().read()) >= 0; ) {
        answer.write(b);
      }
    } catch (SocketException e) {
      assertThat(e).hasMessageContaining("reset"); // closed with bytes of ours unread
    }
    return answer.toByteArray();
  }

  private void aRankIsStillLetIn() throws IOException {
    long from = System.nanoTime();
    call(new Handshake(SECRET, 4, 0), connect());
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(3));
    while (listener.take(JOIN) == null) {
      Thread.onSpinWait();
    }
  }

  @Test
  void bytesThatNoRankSendsAreRefusedAtOnceAndLogged() throws Exception {
    byte[] begin = ByteBuffer.allocate(40).putLong(MAGIC).array();
    Random random = new Random(5);
    byte[] noise = new byte[5000];
    random.nextBytes(noise);
    List<byte[]> strange =
        List.of(
            "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
            noise,
            ByteBuffer.allocate(44).put(begin).putInt(Integer.MAX_VALUE).array(),
            ByteBuffer.allocate(44).put(begin).putInt(-1).array(),
            ByteBuffer.allocate(44 + 1024 + 32).put(begin).putInt(1024).array());
    for (byte[] bytes : strange) {
      Socket socket = connect();
      socket.getOutputStream().write(bytes);
      assertThat(answer(socket)).hasSizeLessThanOrEqualTo(GREETING + 1);
    }
    assertThat(log)
        .hasSize(strange.size())
        .allMatch(line -> line.startsWith("refused a connection from 127.0.0.1:"))
        .anyMatch(line -> line.endsWith("it does not speak this protocol"))
        .anyMatch(line -> line.endsWith("a hello has at most 1024 bytes, got 2147483647"))
        .anyMatch(line -> line.contains("it does not know this job's secret"));
    aRankIsStillLetIn();
  }

  @Test
  void oneThatIsSilentOrTricklesOrSendsHalfIsRefusedAfterFiveSeconds() throws Exception {
    Socket silent = connect();
    Socket half = connect();
    half.getOutputStream().write(ByteBuffer.allocate(44).putLong(MAGIC).putInt(40, 30).array());
    Socket trickling = connect();
    Thread.ofVirtual().start(() -> trickle(trickling));
    aRankIsStillLetIn();
    long from = System.nanoTime();
    for (Socket socket : List.of(silent, half, trickling)) {
      assertThat(answer(socket)).hasSize(GREETING);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(8));
    assertThat(log).hasSize(3).allMatch(line -> line.endsWith("that it is a rank"));
  }

  private static void trickle(Socket socket) {
    byte[] bytes = ByteBuffer.allocate(40).putLong(MAGIC).array();
    try {
      for (byte b : bytes) {
        socket.getOutputStream().write(b);
        Thread.sleep(500);
      }
    } catch (IOException | InterruptedException e) {
      // the listener has had enough
    }
  }

  @Test
  void aRecordedJoinOpensNothing() throws Exception {
    Recording recording = new Recording(connect());
    call(new Handshake(SECRET, 4, 0), recording);
    while (listener.take(JOIN) == null) {
      Thread.onSpinWait();
    }
    Socket replay = connect();
    replay.getOutputStream().write(recording.sent.toByteArray());
    byte[] answer = answer(replay);
    assertThat(answer).hasSize(GREETING + 1);
    assertThat(answer[GREETING]).isZero();
    assertThat(listener.take(JOIN)).isNull();
    assertThat(log).singleElement().asString().contains("does not know this job's secret");
  }

  @Test
  void ranksOfAnotherStartOrSizeOrSecretAreToldSo() throws Exception {
    byte[] other = "another secret, as long".getBytes(StandardCharsets.US_ASCII);
    for (Handshake handshake :
        List.of(
            new Handshake(SECRET, 4, 1), new Handshake(SECRET, 5, 0), new Handshake(other, 4, 0))) {
      Socket socket = connect();
      assertThatThrownBy(() -> call(handshake, socket))
          .isInstanceOf(Handshake.RefusedException.class)
          .hasMessageContaining("another secret or is of another start");
    }
    assertThat(listener.take(JOIN)).isNull();
  }

  @Test
  void aFloodOfConnectionsKeepsNoRankOutAndIsLoggedInFewLines() throws Exception {
    List<Socket> flood = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      flood.add(connect());
    }
    aRankIsStillLetIn();
    for (Socket socket : flood.subList(0, 200)) {
      assertThat(answer(socket)).hasSizeLessThanOrEqualTo(GREETING);
    }
    assertThat(log).hasSizeBetween(1, 25);
  }

  @Test
  void whoPretendsToBeTheListenerIsFoundOut() throws Exception {
    byte[] other = "another secret, as long".getBytes(StandardCharsets.US_ASCII);
    try (Listener impostor =
        new Listener(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            new Handshake(other, 4, 0),
            Optional.empty(),
            new PendingConnections(4, log::add))) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), impostor.port());
      sockets.add(socket);
      assertThatThrownBy(() -> call(new Handshake(SECRET, 4, 0), socket))
          .isInstanceOf(Handshake.RefusedException.class);
    }
  }

  /** A socket that keeps what is written to it. */
  private static final class Recording extends Socket {
    private final Socket socket;
    private final ByteArrayOutputStream sent = new ByteArrayOutputStream();

    Recording(Socket socket) {
      this.socket = socket;
    }

    @Override
    public InputStream getInputStream() throws IOException {
      return socket.getInputStream();
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
      OutputStream out = socket.getOutputStream();
      return new OutputStream() {
        @Override
        public void write(int b) throws IOException {
          sent.write(b);
          out.write(b);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
          sent.write(bytes, from, length);
          out.write(bytes, from, length);
        }
      };
    }
  }
}
