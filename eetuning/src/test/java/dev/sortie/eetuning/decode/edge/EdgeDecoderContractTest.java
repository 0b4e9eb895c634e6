package dev.sortie.eetuning.decode.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.policy.ThresholdPolicy.MaxProbability;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.nn.InputException;
import dev.sortie.parallel.comm.transport.tcp.Link;
import java.io.DataInputStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Edge and cloud write what one process writes: ids, exits and confidences to the last bit. */
@Timeout(300)
class EdgeDecoderContractTest {
  private static final int TRIES = 20;

  @TempDir private Path folder;

  private static int[] prompt(int length) {
    return new Random(length).ints(length, 0, 250).toArray();
  }

  private static EdgeDecoder.Settings with(EdgeDecoder.Settings s, int maxPending, double heat) {
    return new EdgeDecoder.Settings(
        s.host(),
        s.port(),
        s.keys(),
        s.policy(),
        maxPending,
        EdgeAndCloud.options(heat),
        s.type(),
        s.timeout());
  }

  @ParameterizedTest
  @CsvSource({"1, 60, 15, 0", "2, 50, 15, 0.8", "3, 40, 3, 0.8", "4, 35, 15, 0.8", "4, 30, 0, 0"})
  void earlyExitIsThatOfOneProcess(int layers, int percent, int maxPending, double temperature)
      throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder, layers, 2)) {
      for (int length : new int[] {1, 5, 16, 17, 40, 600}) {
        EdgeDecoder.Settings s =
            with(EdgeAndCloud.settings(both.port(), new ByBits(percent)), maxPending, temperature);
        EdgeGeneration g = both.write(s, prompt(length));
        assertThat(g.text().tokens()).isEqualTo(both.reference(s, prompt(length)).tokens());
        assertThat(g.text().finish()).isEqualTo("length");
        assertThat(g.lost()).isEmpty();
        assertThat(g.exact()).isTrue();
        assertThat(g.by())
            .isEqualTo(
                g.text().tokens().stream()
                    .map(t -> t.exit().isPresent() ? EdgeToken.EDGE : EdgeToken.CLOUD)
                    .toList());
        assertThat(g.roundTrips()).isEqualTo(g.count(EdgeToken.CLOUD));
        assertThat(g.by()).contains(EdgeToken.CLOUD);
        assertThat(g.by().contains(EdgeToken.EDGE)).isEqualTo(maxPending > 0);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void aThresholdThatNothingReachesGivesFullDepth(int layers) throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder, layers, 2)) {
      for (ExitPolicy never : List.of(new MaxProbability(1), new ByBits(0))) {
        EdgeDecoder.Settings s = EdgeAndCloud.settings(both.port(), never);
        EdgeGeneration g = both.write(s, prompt(20));
        assertThat(g.text().tokens()).isEqualTo(both.fullDepth(s, prompt(20)).tokens());
        assertThat(g.count(EdgeToken.CLOUD)).isEqualTo(EdgeAndCloud.TOKENS);
      }
    }
  }

  @Test
  void aPenaltyThatSparesThePromptDoesSoInTheCloud() throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder, 3, 2)) {
      EdgeDecoder.Settings s = EdgeAndCloud.settings(both.port(), new ByBits(30));
      SamplingOptions spared = new SamplingOptions(0, 0, 1, 0, 100, false, 7);
      EdgeDecoder.Settings sparing =
          new EdgeDecoder.Settings(
              s.host(),
              s.port(),
              s.keys(),
              s.policy(),
              s.maxPending(),
              new GenerateOptions(20, spared, List.of(), true),
              s.type(),
              s.timeout());
      assertThat(both.write(sparing, prompt(600)).text().tokens())
          .isEqualTo(both.reference(sparing, prompt(600)).tokens());
    }
  }

  @Test
  void noControlCharacterOfAnEdgeReachesTheTerminal() throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder, 3, 2);
        Link link = Link.call(new InetSocketAddress("localhost", both.port()), EdgeAndCloud.KEYS)) {
      link.out().write(EdgeAndCloud.open("\u001b]0;title\u0007", 3, 20).encode());
      assertThat(answer(link)).isInstanceOf(Frame.Refused.class);
      assertThat(both.log)
          .singleElement()
          .asString()
          .contains("a model of SHA-256 \\u001b]0;title\\u0007, the cloud one of");
    }
  }

  @Test
  void twoEdgesAtOnceGetTheirOwnTexts() throws Exception {
    try (EdgeAndCloud one = new EdgeAndCloud(folder.resolve("one"), 3, 2);
        EdgeAndCloud two = new EdgeAndCloud(folder.resolve("two"), 3, 2)) {
      EdgeDecoder.Settings s = EdgeAndCloud.settings(one.port(), new ByBits(50));
      for (int i = 0; i < 5; i++) {
        int length = 10 + i;
        CompletableFuture<EdgeGeneration> other =
            CompletableFuture.supplyAsync(() -> two.write(s, prompt(30 + length)));
        assertThat(one.write(s, prompt(length)).text().tokens())
            .isEqualTo(one.reference(s, prompt(length)).tokens());
        assertThat(other.get().text().tokens())
            .isEqualTo(one.reference(s, prompt(30 + length)).tokens());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(LinkType.class)
  void smallerTypesTakeFewerBytesAndSaySo(LinkType type) throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder, 3, 2)) {
      EdgeDecoder.Settings s = EdgeAndCloud.settings(both.port(), new ByBits(50));
      EdgeDecoder.Settings typed =
          new EdgeDecoder.Settings(
              s.host(), s.port(), s.keys(), s.policy(), 15, s.options(), type, s.timeout());
      EdgeGeneration g = both.write(typed, prompt(40));
      assertThat(g.count(EdgeToken.ALONE)).isZero();
      assertThat(g.exact()).isEqualTo(type == LinkType.F32);
      // a state and its id and the heads of frames, of all tokens that an answer has waited for
      long state = type.bytes(32) + 4L;
      int waited = 40 + g.by().lastIndexOf(EdgeToken.CLOUD);
      assertThat(g.sent()).isBetween(waited * state, (40 + EdgeAndCloud.TOKENS) * state + 2000);
      // what the cloud computes with, and answers of 21 bytes
      assertThat(g.received() - 21L * g.roundTrips()).isBetween(5L, 200L);
    }
  }

  @Test
  void aCloudThatIsFullOrOfOtherLayersOrFilesSaysWhy() throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder, 3, 1)) {
      EdgeDecoder.Settings s = EdgeAndCloud.settings(both.port(), new ByBits(50));
      try (Link first =
          Link.call(new InetSocketAddress("localhost", both.port()), EdgeAndCloud.KEYS)) {
        first.out().write(EdgeAndCloud.open(both.sha256(), 3, 20).encode());
        assertThat(answer(first)).isInstanceOf(Frame.Ready.class);
        EdgeGeneration alone = both.write(s, prompt(5));
        assertThat(alone.count(EdgeToken.CLOUD)).isZero();
        assertThat(alone.count(EdgeToken.ALONE)).isPositive();
        assertThat(alone.lost().orElseThrow()).contains("all places of this cloud are taken");
        assertThat(alone.sent())
            .as("states for a cloud that refused are not sent")
            .isEqualTo(EdgeAndCloud.open(both.sha256(), 3, 65).encode().length);
      }
      String other = "f".repeat(64);
      for (int i = 0; i < TRIES; i++) {
        assertRefused(both, EdgeAndCloud.open(other, 3, 20), other, both.sha256());
      }
      assertRefused(both, EdgeAndCloud.open(both.sha256(), 2, 20), "edge says 2, the cloud 3");
      assertRefused(both, EdgeAndCloud.open(both.sha256(), 3, 701), "701", "700");
      assertRefused(both, EdgeAndCloud.open(both.sha256(), 3, 0), "0 tokens");
    }
  }

  private static Frame answer(Link link) throws Exception {
    link.silence(Duration.ofSeconds(30));
    return Frame.read(new DataInputStream(link.in()), Frame.LONGEST);
  }

  private static void assertRefused(EdgeAndCloud both, Frame.Open open, String... parts)
      throws Exception {
    InetSocketAddress there = new InetSocketAddress("localhost", both.port());
    try (Link link = Link.call(there, EdgeAndCloud.KEYS)) {
      link.out().write(open.encode());
      assertThat(answer(link))
          .isInstanceOfSatisfying(
              Frame.Refused.class,
              no -> {
                assertThat(no.later()).isFalse();
                assertThat(no.why()).contains(parts);
              });
    }
  }

  /** The edge's own line, each time: nothing that it sends may take the refusal away. */
  @Test
  void anotherModelInTheCloudIsRefusedWithBothHashes() throws Exception {
    try (EdgeAndCloud both = new EdgeAndCloud(folder.resolve("a"), 3, 2);
        EdgeAndCloud other = new EdgeAndCloud(folder.resolve("b"), 3, 2, 2)) {
      EdgeDecoder.Settings s = EdgeAndCloud.settings(other.port(), new ByBits(50));
      for (int i = 0; i < TRIES; i++) {
        assertThatThrownBy(() -> both.write(s, prompt(300)))
            .isInstanceOf(InputException.class)
            .hasMessageContainingAll(
                "the cloud at localhost:" + other.port(), both.sha256(), other.sha256());
      }
    }
  }
}
