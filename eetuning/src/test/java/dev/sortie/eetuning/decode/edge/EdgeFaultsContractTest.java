package dev.sortie.eetuning.decode.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.Generation;
import dev.sortie.parallel.comm.transport.tcp.Link;
import dev.sortie.parallel.comm.transport.tcp.LinkKeys;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever happens to link and cloud: each token is that of one process, or it is marked. */
@Timeout(300)
@Tag("slow")
class EdgeFaultsContractTest {
  private static final int TRIES = 20;
  private static final int[] PROMPT = new Random(3).ints(24, 0, 250).toArray();
  private static final ByBits POLICY = new ByBits(40);

  @TempDir private static Path folder;

  private static EdgeAndCloud both;
  private static Generation right;

  @BeforeAll
  static void begin() throws IOException {
    both = new EdgeAndCloud(folder, 3, 64);
    right = both.reference(EdgeAndCloud.settings(both.port(), POLICY), PROMPT);
  }

  @AfterAll
  static void end() {
    both.close();
  }

  private static EdgeGeneration write(int port, Duration timeout) {
    EdgeDecoder.Settings s = EdgeAndCloud.settings(port, POLICY);
    return both.write(
        new EdgeDecoder.Settings(
            s.host(), port, s.keys(), s.policy(), 15, s.options(), s.type(), timeout),
        PROMPT);
  }

  /** The text is complete; up to the first mark it is that of one process; a mark has a reason. */
  private static void assertRightOrMarked(EdgeGeneration g) {
    List<GeneratedToken> tokens = g.text().tokens();
    assertThat(tokens).hasSize(EdgeAndCloud.TOKENS);
    int first = g.by().indexOf(EdgeToken.ALONE);
    int same = first < 0 ? tokens.size() : first;
    assertThat(tokens.subList(0, same)).isEqualTo(right.tokens().subList(0, same));
    if (first >= 0) {
      assertThat(g.lost()).isPresent();
      // the cloud does not come back within a text
      assertThat(g.by().subList(first, tokens.size())).doesNotContain(EdgeToken.CLOUD);
      for (int i = first; i < tokens.size(); i++) {
        boolean last = tokens.get(i).exit().getAsInt() == both.layers;
        assertThat(g.by().get(i) != EdgeToken.ALONE || last).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(FaultyLink.Fault.class)
  void aLinkThatIsCutAnywhere(FaultyLink.Fault fault) throws Exception {
    long all = 0;
    try (FaultyLink none = new FaultyLink(both.port(), fault, Long.MAX_VALUE)) {
      EdgeGeneration g = write(none.port(), Duration.ofSeconds(60));
      assertThat(g.by()).doesNotContain(EdgeToken.ALONE);
      all = g.sent() + g.received();
    }
    Duration timeout = Duration.ofMillis(fault == FaultyLink.Fault.SILENCE ? 300 : 60_000);
    Random random = new Random(fault.ordinal());
    int marked = 0;
    for (int i = 0; i < TRIES; i++) {
      // also before the first answer, and within the handshake
      long after = i == 0 ? 0 : random.nextLong(all);
      try (FaultyLink link = new FaultyLink(both.port(), fault, after)) {
        EdgeGeneration g = write(link.port(), timeout);
        assertRightOrMarked(g);
        marked += g.lost().isPresent() ? 1 : 0;
      }
    }
    assertThat(marked).isGreaterThan(TRIES / 2);
    assertThat(write(both.port(), Duration.ofSeconds(60)).text().tokens())
        .isEqualTo(right.tokens());
  }

  /** Nobody there, or somebody who does not know the secret: all is decided alone, and alike. */
  @Test
  void aStrangerInPlaceOfTheCloud() throws Exception {
    byte[] noise = new byte[300];
    new Random(5).nextBytes(noise);
    List<Consumer<OutputStream>> strangers =
        List.of(
            out -> say(out, "HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(StandardCharsets.UTF_8)),
            out -> say(out, noise),
            out -> say(out, new byte[0]));
    int free;
    try (ServerSocket s = new ServerSocket(0)) {
      free = s.getLocalPort();
    }
    EdgeGeneration nobody = write(free, Duration.ofSeconds(60));
    assertThat(nobody.sent() + nobody.received()).isZero();
    Generation alone = nobody.text();
    for (int i = 0; i < TRIES; i++) {
      int kind = i % strangers.size();
      try (ServerSocket server = new ServerSocket(0, 16, InetAddress.getByName("localhost"))) {
        Thread.ofPlatform().daemon().start(() -> answer(server, strangers.get(kind)));
        EdgeGeneration g = write(server.getLocalPort(), Duration.ofSeconds(60));
        assertRightOrMarked(g);
        assertThat(g.by()).doesNotContain(EdgeToken.CLOUD);
        assertThat(g.text().tokens()).isEqualTo(alone.tokens());
      }
    }
  }

  private static void answer(ServerSocket server, Consumer<OutputStream> stranger) {
    try (Socket edge = server.accept()) {
      stranger.accept(edge.getOutputStream());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void say(OutputStream out, byte[] bytes) {
    try {
      out.write(bytes);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aCloudWithAnotherSecretIsNoCloud() throws Exception {
    LinkKeys other = EdgeAndCloud.keys("another secret of this test");
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    try (LinkListener listener = new LinkListener(any, other)) {
      for (int i = 0; i < TRIES; i++) {
        EdgeGeneration g = write(listener.port(), Duration.ofSeconds(60));
        assertRightOrMarked(g);
        assertThat(g.by()).doesNotContain(EdgeToken.CLOUD);
        assertThat(g.lost().orElseThrow()).contains("another secret");
      }
    }
  }

  /** No secret, a wrong one, garbage before and after the proof: the edge does not notice them. */
  @Test
  void strangersAtTheCloud() throws Exception {
    Random random = new Random(9);
    for (int i = 0; i < TRIES; i++) {
      byte[] noise = new byte[1 + random.nextInt(2000)];
      random.nextBytes(noise);
      InetSocketAddress cloud = new InetSocketAddress("localhost", both.port());
      try (Socket stranger = new Socket(cloud.getAddress(), cloud.getPort());
          Link insider = Link.call(cloud, EdgeAndCloud.KEYS)) {
        say(stranger.getOutputStream(), noise);
        say(insider.out(), noise);
        assertThatThrownBy(() -> Link.call(cloud, EdgeAndCloud.keys("another secret of this test")))
            .isInstanceOf(IOException.class);
        EdgeGeneration g = write(both.port(), Duration.ofSeconds(60));
        assertThat(g.text().tokens()).isEqualTo(right.tokens());
        assertThat(g.lost()).isEmpty();
      }
    }
  }

  /** One who knows the secret but sends what does not fit ends his own text alone. */
  @Test
  void framesThatDoNotFitAreRefused() throws Exception {
    Frame.Open open = EdgeAndCloud.open(both.sha256(), 3, 20);
    int state = 4 * 32;
    List<Frame.States> wrong =
        List.of(
            new Frame.States(1, true, true, new int[1], new byte[state]),
            new Frame.States(0, true, true, new int[2], new byte[state]),
            new Frame.States(0, true, true, new int[0], new byte[0]),
            new Frame.States(0, true, true, new int[] {290}, new byte[state]),
            new Frame.States(0, true, true, new int[] {-1}, new byte[state]),
            new Frame.States(0, false, true, new int[21], new byte[21 * state]));
    for (Frame.States f : wrong) {
      try (Link link =
          Link.call(new InetSocketAddress("localhost", both.port()), EdgeAndCloud.KEYS)) {
        link.out().write(open.encode());
        link.out().write(f.encode());
        link.silence(Duration.ofSeconds(60));
        DataInputStream in = new DataInputStream(link.in());
        assertThat(Frame.read(in, Frame.LONGEST)).isInstanceOf(Frame.Ready.class);
        assertThat(Frame.read(in, Frame.LONGEST)).isInstanceOf(Frame.Refused.class);
      }
    }
    assertThat(both.log).noneMatch(line -> line.contains("it failed"));
  }
}
