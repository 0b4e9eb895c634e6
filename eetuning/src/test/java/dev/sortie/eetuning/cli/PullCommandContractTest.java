package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.format.JsonObject;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model is pulled once and then named as on the hub. */
class PullCommandContractTest {
  @TempDir private static Path temp;

  private static Path model;

  @BeforeAll
  static void makeModel() {
    model = TinyModel.write(temp.resolve("model"), 1);
  }

  private static CommandLineRun pull(Path cache, TinyHub hub, String... more) {
    List<String> words = new ArrayList<>(List.of("pull", "acme/tiny"));
    words.addAll(List.of("--endpoint", hub.url(), "--cache", cache.toString()));
    words.addAll(List.of(more));
    return CommandLineRun.of(words.toArray(String[]::new));
  }

  @Test
  void aPulledModelHasANameInAllCommands() throws IOException, InterruptedException {
    Path cache = temp.resolve("cache");
    try (TinyHub hub = new TinyHub(model)) {
      JsonObject json = pull(cache, hub, "--json").json();
      Path snapshot = Path.of(json.getString("path"));
      assertThat(json.getString("model")).isEqualTo("acme/tiny");
      assertThat(json.getObject("files").fields().keySet())
          .contains("config.json", "model.safetensors", "tokenizer.json");
      for (String file : json.getObject("files").fields().keySet()) {
        assertThat(snapshot.resolve(file)).hasSameBinaryContentAs(model.resolve(file));
      }
      CommandLineRun again = pull(cache, hub).succeeded();
      assertThat(again.out().strip()).isEqualTo(snapshot.toString());
      assertThat(again.err()).contains("MiB are here");
    }
    Run named = run(cache, "tokenize", "--model", "acme/tiny", "--text", "the hen");
    assertThat(named.err()).isEmpty();
    assertThat(named.out())
        .isEqualTo(
            CommandLineRun.of("tokenize", "--model", model.toString(), "--text", "the hen").out());
  }

  @Test
  void aModelThatWasNotPulledIsRefusedWithTheCommandThatPullsIt()
      throws IOException, InterruptedException {
    for (String command : List.of("tokenize --text a --model", "convert --out x.gguf")) {
      List<String> words = new ArrayList<>(List.of(command.split(" ")));
      words.add("acme/absent");
      Run run = run(temp, words.toArray(String[]::new));
      assertThat(run.err())
          .hasLineCount(1)
          .startsWith("sortie: acme/absent: no such file or folder, and the cache " + temp)
          .contains("run sortie pull acme/absent");
      assertThat(run.code()).isEqualTo(1);
    }
  }

  @Test
  void whatIsWrongIsOneLine() {
    try (TinyHub hub = new TinyHub(model)) {
      Path cache = temp.resolve("other");
      CommandLineRun.of("pull", "tiny").assertRefused(1, "\"tiny\"", "ORG/NAME");
      CommandLineRun.of("pull").assertRefused(2, "ORG/NAME", "sortie pull --help");
      CommandLineRun.of("pull", "acme/other", "--endpoint", hub.url(), "--cache", cache.toString())
          .assertRefused(1, "acme/other", "no such repository");
      pull(cache, hub, "--gguf", "q4").assertRefused(1, "acme/tiny", "no .gguf file");
      pull(cache, hub, "--gguf", "q4", "--include", "*").assertRefused(1, "--gguf", "--include");
      pull(cache, hub, "--revision", "../x").assertRefused(1, "revision", "../x");
      assertThat(cache.resolve("models--acme--tiny")).doesNotExist();
    }
  }

  private record Run(int code, String out, String err) {}

  /** Runs a command in a process of its own, for only that has an environment of its own. */
  private static Run run(Path cache, String... words) throws IOException, InterruptedException {
    String classPath =
        Stream.of(System.getProperty("jdk.module.path"), System.getProperty("java.class.path"))
            .filter(Objects::nonNull)
            .filter(path -> !path.isEmpty())
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-cp", classPath));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add(Main.class.getName());
    command.addAll(List.of(words));
    Path err = Files.createTempFile(temp, "err", ".txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
    builder.environment().put("HF_HUB_CACHE", cache.toString());
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int code = process.waitFor();
    String errors =
        Files.readString(err)
            .lines()
            .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
            .map(line -> line + "\n")
            .collect(Collectors.joining());
    return new Run(code, out, errors);
  }
}
