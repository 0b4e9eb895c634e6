package dev.sortie.parallel.comm.transport.tcp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.mutation.MutationRun;
import dev.sortie.mutation.Subject;
import dev.sortie.nn.InputException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Bytes that come over a socket with random damage are taken or refused in one line, and soon. */
@Tag("any-kernels")
class TcpMutationTest {
  private static final byte[] SECRET = "secret".getBytes(StandardCharsets.UTF_8);
  private static final int RECEIVED = 1 << 16;

  /** Gives bytes as a peer would that closes the connection at the end. */
  private record Recorded(ByteBuffer bytes) implements Connection {
    @Override
    public SocketChannel socket() {
      throw new UnsupportedOperationException("nothing is sent");
    }

    @Override
    public InputStream in() {
      throw new UnsupportedOperationException("frames are read from buffers");
    }

    @Override
    public OutputStream out() {
      throw new UnsupportedOperationException("nothing is sent");
    }

    @Override
    public int read(ByteBuffer into) {
      if (!bytes.hasRemaining()) {
        return -1;
      }
      int count = Math.min(bytes.remaining(), into.remaining());
      into.put(bytes.slice(bytes.position(), count));
      bytes.position(bytes.position() + count);
      return count;
    }

    @Override
    public boolean write(ByteBuffer[] frame) {
      throw new UnsupportedOperationException("nothing is sent");
    }

    @Override
    public void close() {}
  }

  private interface Reading {
    void read(byte[] bytes) throws IOException;
  }

  /** A stream ends with an {@link IOException}, which names the peer in one line. */
  private static Subject subject(String name, List<byte[]> corpus, Reading reading) {
    return new Subject(
        name,
        corpus,
        bytes -> {
          try {
            reading.read(bytes);
          } catch (IOException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
          }
        });
  }

  private static byte[] frames(int... lengths) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < lengths.length; i++) {
      byte[] payload = new byte[lengths[i]];
      for (int b = 0; b < payload.length; b++) {
        payload[b] = (byte) (31 * b + i);
      }
      ByteBuffer header =
          ByteBuffer.allocate(FrameLayout.HEADER)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(payload.length)
              .putInt(FrameLayout.checksum(ByteBuffer.wrap(payload)))
              .putLong(i);
      out.writeBytes(header.array());
      out.writeBytes(payload);
    }
    return out.toByteArray();
  }

  private static void receive(byte[] bytes) throws IOException {
    TcpReceiver receiver = new TcpReceiver(new Connection[] {new Recorded(ByteBuffer.wrap(bytes))});
    MemorySegment into = MemorySegment.ofArray(new byte[RECEIVED]);
    while (!receiver.hasEnded()) {
      receiver.receive(into, 0);
    }
  }

  /** What a caller sends that does not know the listener's nonce: all but the proof is right. */
  private static byte[] greeting() throws IOException {
    ByteArrayOutputStream sent = new ByteArrayOutputStream();
    byte[] listener = new byte[Long.BYTES + 32 + 33];
    ByteBuffer.wrap(listener).putLong(0x736f72746965_0002L);
    try {
      new Handshake(SECRET, 2, 0)
          .call(
              new ByteArrayInputStream(listener),
              sent,
              new Hello(Hello.Purpose.JOIN, 1, 4711, "10.0.0.1"));
    } catch (IOException e) {
      return sent.toByteArray(); // the listener has no proof either
    }
    throw new AssertionError("a listener without a proof was believed");
  }

  private static List<Subject> subjects() throws IOException {
    List<byte[]> hellos = new ArrayList<>();
    for (Hello.Purpose purpose : Hello.Purpose.values()) {
      hellos.add(new Hello(purpose, 1, 2, "127.0.0.1:4711").encode());
    }
    Handshake handshake = new Handshake(SECRET, 2, 0);
    return List.of(
        subject(
            "frames",
            List.of(frames(1, 16, 2048), frames(4096, 5, 70_000), frames(), frames(512 << 10)),
            TcpMutationTest::receive),
        subject("hello", hellos, Hello::decode),
        new Subject(
            "greeting",
            List.of(greeting()),
            bytes -> {
              try {
                handshake.answer(new ByteArrayInputStream(bytes), OutputStream.nullOutputStream());
              } catch (IOException e) {
                throw new InputException(e.getClass() + " " + e.getMessage(), e);
              }
            },
            false));
  }

  private static void run(long seed, Duration time, long most) throws IOException {
    MutationRun run =
        new MutationRun(
            subjects(),
            seed,
            Duration.ofSeconds(5),
            Path.of(System.getProperty("sortie.mutation.findings", "target/mutation-findings")));
    run.requireRightFiles();
    run.replay(Path.of("src/test/mutation-corpus"));
    run.run(time, most);
    assertThat(run.findings()).as(run.summary()).isEmpty();
    assertThat(run.fewest()).as("each subject has its cases: %s", run.summary()).isPositive();
    assertThat(run.refused()).isPositive();
  }

  @Test
  void damagedStreamsAreTakenOrRefused() throws IOException {
    run(1, Duration.ofSeconds(20), 3000);
  }

  @Test
  @Tag("nightly")
  void damagedStreamsAreTakenOrRefusedAllNight() throws IOException {
    run(
        Long.getLong("sortie.mutation.seed", System.nanoTime() >>> 10),
        Duration.ofMillis(
            (long)
                (60_000 * Double.parseDouble(System.getProperty("sortie.mutation.minutes", "10")))),
        Long.MAX_VALUE);
  }
}
