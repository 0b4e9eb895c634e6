package dev.sortie.benchmarks.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A simulated link has the delay and the rate that were asked for, and changes no byte. */
@Timeout(60)
class LinkRelayContractTest {
  /** The best of some: a busy machine makes it slower, and nothing makes it faster. */
  private static final int TRIES = 5;

  private static final double LATE = 0.025;

  private ServerSocket echo;

  @BeforeEach
  void listen() throws IOException {
    echo = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().start(this::answer);
  }

  @AfterEach
  void end() throws IOException {
    echo.close();
  }

  private void answer() {
    try {
      while (true) {
        Socket s = echo.accept();
        Thread.ofPlatform().daemon().start(() -> answer(s));
      }
    } catch (IOException e) {
      // closed
    }
  }

  private static void answer(Socket socket) {
    try (socket) {
      socket.setTcpNoDelay(true);
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private LinkRelay relay(int delay, double megabits) {
    return new LinkRelay(echo.getLocalPort(), new SimulatedLink(delay, megabits));
  }

  private static Socket call(LinkRelay relay) throws IOException {
    Socket s = new Socket(InetAddress.getLoopbackAddress(), relay.port());
    s.setTcpNoDelay(true);
    return s;
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  /** Seconds from the first byte that is sent to the last that comes back. */
  private static double roundTrip(Socket s, int count) {
    byte[] sent = bytes(count);
    try {
      long start = System.nanoTime();
      OutputStream out = s.getOutputStream();
      out.write(sent);
      byte[] back = s.getInputStream().readNBytes(count);
      double seconds = (System.nanoTime() - start) * 1e-9;
      assertThat(back).isEqualTo(sent);
      return seconds;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static double best(DoubleSupplier seconds) {
    return DoubleStream.generate(seconds).limit(TRIES).min().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"0", "5", "30"})
  void aByteTakesTheDelayEachWay(int delay) throws IOException {
    try (LinkRelay relay = relay(delay, 1000);
        Socket s = call(relay)) {
      roundTrip(s, 1); // opens it
      assertThat(best(() -> roundTrip(s, 1))).isBetween(2e-3 * delay, 2e-3 * delay + LATE);
      assertThat(relay.up()).isEqualTo(1 + TRIES);
      assertThat(relay.down()).isEqualTo(1 + TRIES);
    }
  }

  @Test
  void openingTakesARoundTripMore() throws IOException {
    try (LinkRelay relay = relay(20, 1000)) {
      double seconds =
          best(
              () -> {
                try {
                  long start = System.nanoTime();
                  try (Socket s = call(relay)) {
                    roundTrip(s, 1);
                    return (System.nanoTime() - start) * 1e-9;
                  }
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThat(seconds).isBetween(0.08, 0.08 + LATE);
    }
  }

  /** The way back begins when the first packet has come, so most of both ways overlaps. */
  @ParameterizedTest
  @CsvSource({"1, 20000, 0", "10, 200000, 5", "100, 1000000, 2"})
  void bytesPassAtTheRate(double megabits, int count, int delay) throws IOException {
    try (LinkRelay relay = relay(delay, megabits);
        Socket s = call(relay)) {
      roundTrip(s, 1);
      double line = count * 8 / (megabits * 1e6);
      double packet = 1460 * 8 / (megabits * 1e6);
      double rest = 2e-3 * delay + packet;
      assertThat(best(() -> roundTrip(s, count)))
          .isBetween(line + 2e-3 * delay, 1.05 * line + rest + LATE);
      assertThat(relay.up()).isEqualTo(1 + (long) TRIES * count);
    }
  }

  /** The second of two messages waits for the first, and both for nothing that went long before. */
  @Test
  void aLineIsFreeWhenWhatWasSentIsIn() throws Exception {
    try (LinkRelay relay = relay(0, 1);
        Socket s = call(relay)) {
      roundTrip(s, 5000);
      Thread.sleep(100);
      assertThat(best(() -> roundTrip(s, 1250))).isBetween(0.01, 0.02 + LATE);
    }
  }

  @Test
  void anEndPassesBehindAllBytes() throws IOException {
    try (LinkRelay relay = relay(10, 1);
        Socket s = call(relay)) {
      byte[] sent = bytes(5000);
      s.getOutputStream().write(sent);
      s.shutdownOutput();
      InputStream in = s.getInputStream();
      assertThat(in.readAllBytes()).isEqualTo(sent);
    }
  }

  /** A port that is free could become that of the relay, or of its own socket. */
  @Test
  void nobodyBehindTheLinkIsAnEnd() throws IOException {
    try (Socket taken = new Socket()) {
      taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      try (LinkRelay relay = new LinkRelay(taken.getLocalPort(), new SimulatedLink(1, 1));
          Socket s = call(relay)) {
        s.setSoTimeout(30_000);
        assertThat(s.getInputStream().read()).isNegative();
      }
    }
  }

  @Test
  void wordsAreDelayAndRate() {
    assertThat(SimulatedLink.of("50x10")).isEqualTo(new SimulatedLink(50, 10));
    assertThat(SimulatedLink.of("0x0.5").name()).isEqualTo("0 ms, 0.5 Mbit/s");
    for (String word : new String[] {"", "50", "x", "5x0", "-1x5", "5xfast", "5x1x1"}) {
      assertThatThrownBy(() -> SimulatedLink.of(word))
          .isInstanceOf(InputException.class)
          .hasMessage("--links '" + word + "' is no delay in ms and rate in Mbit/s, such as 50x10");
    }
  }
}
