package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    CommandLineRun named = run(cache, "tokenize", "--model", "acme/tiny", "--text", "the hen");
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
      CommandLineRun run = run(temp, words.toArray(String[]::new));
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
      pull(cache, hub, "--gguf", "q4", "--include", "*").assertRefused(2, "--gguf", "--include");
      pull(cache, hub, "--revision", "../x").assertRefused(1, "revision", "../x");
      assertThat(cache.resolve("models--acme--tiny")).doesNotExist();
    }
  }

  /** Runs a command that sees this cache. */
  private static CommandLineRun run(Path cache, String... words)
      throws IOException, InterruptedException {
    try (CommandLineProcess process =
        new CommandLineProcess(Map.of("HF_HUB_CACHE", cache.toString()), words)) {
      return process.end();
    }
  }
}
