package dev.sortie.parallel.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.sortie.parallel.comm.transport.tcp.TcpTransport;
import dev.sortie.parallel.comm.transport.tcp.TcpTransport.Options;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-kernels")
@Tag("slow")
class TcpCommunicatorTest extends CommunicatorContract {
  private static final byte[] SECRET = "sixteen and more bytes".getBytes(StandardCharsets.US_ASCII);

  @Override
  Job.Joining job(int ranks) throws IOException {
    InetSocketAddress master = Ports.free();
    return rank -> TcpTransport.join(options(master, rank, ranks, SECRET, 0));
  }

  @Override
  boolean hasSharedMemory() {
    return false;
  }

  private static Options options(
      InetSocketAddress master, int rank, int world, byte[] secret, int generation) {
    return new Options(
        master, rank, world, secret, generation, Duration.ofSeconds(5), Duration.ofSeconds(5));
  }

  @Test
  void outsidersGetNothingAndDisturbNobody() throws Exception {
    InetSocketAddress master = Ports.free();
    List<Socket> outsiders = new ArrayList<>();
    Job.run(
        2,
        rank -> {
          if (rank == 1) {
            for (byte[] bytes : strangeBytes()) {
              outsiders.add(knock(master, bytes));
            }
          }
          return TcpTransport.join(options(master, rank, 2, SECRET, 0));
        },
        CommOptions.defaults(),
        c -> {
          new CommunicatorContract.Exactness(c, ElementType.F32, Order.ASCENDING).all(1000);
          if (c.position() == 1) {
            outsiders.add(
                knock(master, "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII)));
          }
          new CommunicatorContract.Exactness(c, ElementType.F32, Order.ASCENDING).all(1000);
        });
    for (Socket outsider : outsiders) {
      try (outsider) {
        outsider.setSoTimeout(8000);
        assertThat(answer(outsider)).hasSizeLessThanOrEqualTo(41); // a greeting and a refusal
      }
    }
  }

  static List<byte[]> strangeBytes() {
    byte[] magic = ByteBuffer.allocate(40).putLong(0x736f72746965_0002L).array();
    return List.of(
        new byte[0],
        new byte[10],
        magic,
        ByteBuffer.allocate(44).put(magic).putInt(Integer.MAX_VALUE).array(),
        ByteBuffer.allocate(44).put(magic).putInt(-1).array(),
        ByteBuffer.allocate(44 + 20 + 32).put(magic).putInt(20).array());
  }

  static Socket knock(InetSocketAddress address, byte[] bytes) throws Exception {
    for (int i = 0; ; i++) {
      try {
        Socket socket = new Socket(address.getAddress(), address.getPort());
        OutputStream out = socket.getOutputStream();
        out.write(bytes);
        return socket;
      } catch (IOException e) {
        if (i == 100) {
          throw e;
        }
        Thread.sleep(20); // rank 0 does not listen yet
      }
    }
  }

  static byte[] answer(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    byte[] answer = new byte[100];
    int got = 0;
    try {
      for (int n; got < 100 && (n = in.read(answer, got, 100 - got)) > 0; ) {
        got += n;
      }
    } catch (SocketException e) {
      // closed with bytes unread
    }
    return Arrays.copyOf(answer, got);
  }

  @Test
  void aRankWithAnotherSecretOrOfAnotherStartIsNotLetIn() throws Exception {
    InetSocketAddress master = Ports.free();
    byte[] wrong = "another secret of the same kind".getBytes(StandardCharsets.US_ASCII);
    Job.run(
        3,
        rank -> {
          if (rank == 2) {
            assertThatThrownBy(() -> TcpTransport.join(options(master, 1, 3, wrong, 0)))
                .hasMessageContaining("has another secret or is of another start");
            assertThatThrownBy(() -> TcpTransport.join(options(master, 1, 3, SECRET, 1)))
                .hasMessageContaining("has another secret or is of another start");
          }
          return TcpTransport.join(options(master, rank, 3, SECRET, 0));
        },
        CommOptions.defaults(),
        Communicator::barrier);
  }

  @Test
  void aSecretThatIsTooShortIsRefused() throws Exception {
    InetSocketAddress master = Ports.free();
    assertThatThrownBy(() -> options(master, 0, 1, new byte[8], 0))
        .hasMessageContaining("at least 16 bytes, got 8");
  }

  @Test
  void aMissingRankIsNamedByAllWhoCame() throws Exception {
    InetSocketAddress master = Ports.free();
    Options[] impatient = new Options[2];
    for (int rank = 0; rank < 2; rank++) {
      impatient[rank] =
          new Options(master, rank, 3, SECRET, 0, Duration.ofMillis(700), Duration.ofSeconds(5));
    }
    String line =
        "rank 0 waits for rank 2 to join; ranks 0 and 1 have come: nothing came within 700 ms";
    CompletableFuture<Throwable> other =
        CompletableFuture.supplyAsync(() -> catchThrowable(() -> TcpTransport.join(impatient[1])));
    assertThatThrownBy(() -> TcpTransport.join(impatient[0])).hasMessageContaining(line);
    assertThat(other.join()).hasMessageContaining(line);
  }

  @Test
  void aRankThatLeavesEarlyIsNamed() throws Exception {
    assertThat(
            Job.failures(
                2,
                job(2),
                CommOptions.defaults(),
                c -> {
                  if (c.position() == 0) {
                    c.barrier();
                  }
                }))
        .satisfiesExactly(
            e -> assertThat(e).hasMessageContaining("rank 1"), e -> assertThat(e).isNull());
  }
}
