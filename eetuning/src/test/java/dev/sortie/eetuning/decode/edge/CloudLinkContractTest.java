package dev.sortie.eetuning.decode.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.Link;
import dev.sortie.parallel.comm.transport.tcp.LinkListener;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A cloud that knows the secret and says what it should not. */
@Timeout(120)
@Tag("any-kernels")
class CloudLinkContractTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final String ESCAPE = "\u001b]0;title\u0007";
  private static final String ESCAPED = "\\u001b]0;title\\u0007";
  private static final Frame.Open OPEN = EdgeAndCloud.open(ESCAPE, 3, 20);

  /** What the cloud says once it was asked, and how that ends. */
  private static CompletableFuture<Void> cloud(LinkListener listener, List<Frame> says, int times) {
    return CompletableFuture.runAsync(
        () -> {
          try (Link link = listener.take().orElseThrow()) {
            DataInputStream in = new DataInputStream(link.in());
            Frame.read(in, Frame.LONGEST);
            for (int i = 0; i < times; i++) {
              for (Frame f : says) {
                link.out().write(f.encode());
              }
            }
            link.silence(LONG);
            in.skip(Long.MAX_VALUE);
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static LinkListener listener() throws IOException {
    return new LinkListener(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), EdgeAndCloud.KEYS);
  }

  private static CloudLink link(LinkListener listener) throws IOException {
    return new CloudLink("localhost", listener.port(), EdgeAndCloud.KEYS, OPEN);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noControlCharacterOfARefusalReachesTheTerminal(boolean later) throws Exception {
    try (LinkListener listener = listener()) {
      CompletableFuture<Void> cloud = cloud(listener, List.of(new Frame.Refused(later, ESCAPE)), 1);
      try (CloudLink link = link(listener)) {
        if (later) {
          assertThat(link.answer(1, LONG)).isEmpty();
          assertThat(link.lost()).get().asString().endsWith(": " + ESCAPED);
        } else {
          assertThatThrownBy(() -> link.answer(1, LONG))
              .isInstanceOf(InputException.class)
              .hasMessageEndingWith(" refuses: " + ESCAPED);
        }
      }
      cloud.join();
    }
  }

  /** More than fits into what sockets hold: the edge has ended the link, or read it all. */
  @Test
  void aCloudThatSaysMoreThanItWasAskedForIsLost() throws Exception {
    try (LinkListener listener = listener()) {
      List<Frame> says = List.of(new Frame.Ready("computes"), new Frame.Answer(1, 2, 0.5));
      CompletableFuture<Void> cloud = cloud(listener, says, 1 << 20);
      try (CloudLink link = link(listener)) {
        assertThatThrownBy(cloud::join).hasRootCauseInstanceOf(IOException.class);
        assertThat(link.received()).isLessThan(1 << 10);
        assertThat(link.answer(1, LONG)).contains(new Frame.Answer(1, 2, 0.5));
        assertThat(link.answer(2, LONG)).isEmpty();
        assertThat(link.lost()).isPresent();
      }
    }
  }

  @Test
  void noControlCharacterOfAnotherFrameReachesTheTerminal() throws Exception {
    try (LinkListener listener = listener()) {
      CompletableFuture<Void> cloud = cloud(listener, List.of(OPEN), 1);
      try (CloudLink link = link(listener)) {
        assertThat(link.answer(1, LONG)).isEmpty();
        assertThat(link.lost()).get().asString().contains("not asked for", ESCAPED);
      }
      cloud.join();
    }
  }
}
