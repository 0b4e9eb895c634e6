package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.decode.GenerateOptions;
import dev.sortie.eetuning.decode.GeneratedToken;
import dev.sortie.eetuning.decode.edge.EdgeDecoder;
import dev.sortie.eetuning.decode.edge.EdgeGeneration;
import dev.sortie.eetuning.decode.edge.EdgeToken;
import dev.sortie.eetuning.decode.edge.LinkType;
import dev.sortie.eetuning.decode.policy.ExitPolicy;
import dev.sortie.eetuning.decode.sampling.SamplingOptions;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsReader;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLimits;
import dev.sortie.nn.json.JsonObject;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.parallel.launch.RankEnvironment;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code cloud} and {@code generate --edge} as processes. */
@Tag("any-kernels")
@Tag("slow")
@Timeout(600)
class EdgeCommandContractTest {
  private static final int KILLS = 20;
  private static final int TOKENS = 30;
  private static final Map<String, String> SECRET =
      Map.of(RankEnvironment.TOKEN, "a secret of this test");

  @TempDir private static Path folder;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(folder);
  }

  private static CommandLineProcess cloud(Path model) throws IOException {
    return new CommandLineProcess(
        SECRET,
        "cloud",
        "--threads",
        "1",
        "--model",
        model.toString(),
        "--from",
        "2",
        "--port",
        "0",
        "--json");
  }

  private static int port(CommandLineProcess cloud) throws IOException {
    return Json.parse("standard output", cloud.hear(), JsonLimits.DATA).getInt("port", 1, 65535);
  }

  private static String[] words(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "generate",
                "--threads",
                "1",
                "--model",
                tiny.model().toString(),
                "--exits",
                tiny.exits().toString(),
                "--active",
                "all",
                "--draft",
                "none",
                "--prompt",
                "The fox ran",
                "--max-tokens",
                "" + TOKENS,
                "--ignore-eos"));
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  private static CommandLineRun edge(Map<String, String> environment, int port, String... more)
      throws Exception {
    List<String> words =
        new ArrayList<>(
            List.of("--edge", "2", "--cloud", "localhost:" + port, "--cloud-timeout", "60000"));
    words.addAll(List.of(more));
    try (CommandLineProcess process =
        new CommandLineProcess(environment, words(words.toArray(String[]::new)))) {
      return process.end();
    }
  }

  private static List<Map<String, Object>> tokens(JsonObject json, String... fields) {
    return json.getObjects("tokens").stream()
        .map(
            t -> {
              Map<String, Object> some = new LinkedHashMap<>(t.fields());
              some.keySet().retainAll(List.of(fields));
              return some;
            })
        .toList();
  }

  @Test
  void theTextIsThatOfOneProcessAndSaysWhoDecided() throws Exception {
    try (CommandLineProcess cloud = cloud(tiny.model())) {
      int port = port(cloud);
      for (String threshold : List.of("0", "1")) {
        String[] how = {"--json", "--temperature", "0.9", "--threshold", threshold};
        JsonObject alone = CommandLineRun.of(words(how)).json();
        JsonObject both = edge(SECRET, port, how).json();
        String[] fields = {"id", "text", "exit", "confidence"};
        assertThat(tokens(both, fields)).isEqualTo(tokens(alone, fields)).hasSize(TOKENS);
        JsonObject edge = both.getObject("edge");
        assertThat(edge.getBoolean("exact")).isTrue();
        assertThat(edge.fields()).doesNotContainKey("lost").containsEntry("alone_tokens", 0L);
        int here = edge.getInt("edge_tokens", 0, TOKENS);
        assertThat(here == 0).isEqualTo(threshold.equals("1"));
        assertThat(edge.getInt("cloud_tokens", 0, TOKENS)).isEqualTo(TOKENS - here);
        assertThat(edge.getInt("round_trips", 0, TOKENS)).isEqualTo(TOKENS - here);
        assertThat(tokens(both, "decided_by").stream().distinct().count())
            .isEqualTo(here == 0 ? 1 : 2);
      }
      CommandLineRun plain = edge(SECRET, port, "--threshold", "0");
      assertThat(plain.succeeded().err()).contains("tokens decided by the edge", "round trips");
    }
  }

  @Test
  void withoutACloudTheTextIsMarkedAndTheExitCodeIsThree() throws Exception {
    int free;
    try (var socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    CommandLineRun run = edge(SECRET, free, "--json");
    assertThat(run.code()).isEqualTo(3);
    JsonObject json = Json.parse("standard output", run.out(), JsonLimits.DATA);
    JsonObject edge = json.getObject("edge");
    assertThat(edge.getString("lost")).contains("localhost:" + free);
    assertThat(edge.getInt("cloud_tokens", 0, TOKENS)).isZero();
    assertThat(tokens(json, "decided_by").getFirst()).containsEntry("decided_by", "edge-alone");
    CommandLineRun plain = edge(SECRET, free);
    assertThat(plain.code()).isEqualTo(3);
    assertThat(plain.out()).startsWith("The fox ran");
    assertThat(plain.err()).contains("tokens decided by the edge alone: 1", "localhost:" + free);
  }

  @Test
  void anotherModelOrNoSecretIsOneLine() throws Exception {
    Path other = TinyModel.write(folder.resolve("other"), 2);
    try (CommandLineProcess cloud = cloud(other)) {
      JsonObject ready = Json.parse("standard output", cloud.hear(), JsonLimits.DATA);
      int port = ready.getInt("port", 1, 65535);
      edge(SECRET, port, "--json")
          .assertRefused(1, "the cloud at localhost:" + port, ready.getString("sha256"));
      edge(Map.of(RankEnvironment.TOKEN, ""), port)
          .assertRefused(1, "SORTIE_JOB_TOKEN has 0 characters; set it on both sides");
      CommandLineRun stranger =
          edge(Map.of(RankEnvironment.TOKEN, "another secret of this test"), port, "--json");
      assertThat(stranger.code()).isEqualTo(3);
      assertThat(stranger.out()).contains("another secret");
    }
  }

  @Test
  void optionsThatDoNotFitAreRefused() {
    CommandLineRun.of(words("--edge", "2")).assertRefused(2, "--edge N and --cloud HOST:PORT");
    CommandLineRun.of(words("--cloud", "here:1")).assertRefused(2, "--edge N and --cloud");
    CommandLineRun.of(words("--link-type", "bf16")).assertRefused(2, "--link-type bf16");
    CommandLineRun.of(words("--edge", "2", "--cloud", "here:1", "--tp", "2"))
        .assertRefused(2, "--edge", "--tp");
    CommandLineRun.of(words("--edge", "2", "--cloud", "here:1", "--cloud-timeout", "0"))
        .assertRefused(2, "--cloud-timeout 0");
  }

  /** Killed after a random token of the text: as a power failure, between any two answers. */
  @Test
  void aCloudThatIsKilledLeavesACompleteTextThatIsRightUpToItsMarks() throws Exception {
    int[] prompt = {11, 22, 33, 22};
    Random random = new Random(1);
    try (Device device = Device.cpu(1);
        LanguageModel m = LanguageModel.load(tiny.model(), Precision.FILE, device);
        NativeArena arena = new NativeArena("exits")) {
      Exits exits = ExitsReader.of(m).read(tiny.exits(), arena, device.kernels());
      List<GeneratedToken> right = null;
      for (int kill = 0; kill <= KILLS; kill++) {
        int last = kill == 0 ? TOKENS : random.nextInt(1, TOKENS);
        try (CommandLineProcess cloud = cloud(tiny.model())) {
          int port = port(cloud);
          EdgeDecoder.Settings settings =
              new EdgeDecoder.Settings(
                  "localhost",
                  port,
                  RankEnvironment.linkKeys(SECRET),
                  new ByBits(40),
                  15,
                  new GenerateOptions(
                      TOKENS, new SamplingOptions(0.9, 0, 1, 0, 1, 5), List.of(), true),
                  LinkType.F32,
                  Duration.ofSeconds(60));
          List<EdgeToken> seen = new ArrayList<>();
          EdgeGeneration g =
              new EdgeDecoder(m, exits, 2, settings)
                  .run(
                      prompt,
                      List.of(),
                      (t, by) -> {
                        seen.add(by);
                        if (seen.size() == last && last < TOKENS) {
                          kill(cloud);
                        }
                      });
          List<GeneratedToken> tokens = g.text().tokens();
          assertThat(tokens).hasSize(TOKENS);
          right = right == null ? tokens : right;
          int first = g.by().indexOf(EdgeToken.ALONE);
          int same = first < 0 ? TOKENS : first;
          assertThat(tokens.subList(0, same)).isEqualTo(right.subList(0, same));
          assertThat(same).isGreaterThanOrEqualTo(last);
          if (first >= 0) {
            assertThat(g.lost()).isPresent();
          }
          if (kill == 0) {
            assertThat(g.by()).contains(EdgeToken.EDGE, EdgeToken.CLOUD);
          }
        }
      }
    }
  }

  /** Leaves by the last bits of confidences, at a share of all exits. */
  private record ByBits(int percent) implements ExitPolicy {
    @Override
    public boolean exits(int depth, double confidence) {
      return (Double.doubleToRawLongBits(confidence) >>> 7) % 100 < percent;
    }

    @Override
    public boolean never() {
      return false;
    }
  }

  private static void kill(CommandLineProcess cloud) {
    try {
      cloud.close();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
