package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No command writes over what it did not write itself. */
@Tag("any-kernels")
class OverwriteContractTest {
  @TempDir private static Path shared;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private static Map<Path, String> contents(Path folder) throws IOException {
    Map<Path, String> all = new HashMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        all.put(file, new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
    }
    return all;
  }

  @Test
  void pretrainLeavesModelsThatAreThere() throws IOException {
    Map<Path, String> before = contents(tiny.model());
    String line =
        "pretrain --data %s --out %s --steps 2 --seq-len 16 --micro-batch 2 --layers 1 --hidden 16 --heads 2 --ffn 16";
    CommandLineRun.line(line, tiny.data(), tiny.model())
        .assertRefused(1, tiny.model().toString(), "model.safetensors", "another folder");
    tiny.run(
            "pretrain --data %s --out %s --steps 2 --seq-len 16 --micro-batch 2",
            tiny.data(), tiny.model())
        .assertRefused(1, tiny.model().toString(), "model.safetensors", "another folder");
    assertThat(contents(tiny.model())).isEqualTo(before);
  }

  @Test
  void tuneLeavesExitsThatAreThereByWhateverName() throws IOException {
    Path other = shared.resolve("other");
    tiny.run("add-exits --at 2 --out %s", other).succeeded();
    Path link = Files.createSymbolicLink(shared.resolve("link"), other);
    Map<Path, String> before = contents(other);
    tiny.tune(tiny.exits(), other, "--gate-tokens 0")
        .assertRefused(1, "exits.json", "another folder");
    tiny.tune(link, other, "--gate-tokens 0").assertRefused(2, "the folder of --exits");
    assertThat(contents(other)).isEqualTo(before);
    Path out = shared.resolve("tuned");
    tiny.tune(tiny.exits(), out, "--gate-tokens 0").succeeded();
    tiny.tune(tiny.exits(), out, "--gate-tokens 0").succeeded(); // its own results
  }

  @Test
  void sampleLeavesTextsOfOthers() throws IOException {
    Path folder = Files.createDirectory(shared.resolve("texts"));
    Path mine = Files.writeString(folder.resolve("train.jsonl"), "{\"text\":\"mine\"}\n");
    Path table =
        Files.writeString(
            shared.resolve("table.json"),
            "{\"format\":\"sortie-prompts\",\"about\":[],\"prompts\":{\"openings\":[\"The hen\"]},\"sampling\":{\"max_tokens\":4},\"filters\":{}}");
    tiny.run("sample --prompts %s --tokens 10 --out %s", table, folder)
        .assertRefused(1, folder.toString(), "train.jsonl", "another --out");
    assertThat(contents(folder)).containsOnlyKeys(mine);
    assertThat(mine).hasContent("{\"text\":\"mine\"}\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"text\":\"The hen\"}\n", "The hen sat.", "{\"format\":\"other\"}"})
  void calibrateLeavesWhatIsNoFileOfThresholds(String content) throws IOException {
    Path file = Files.writeString(shared.resolve("held-out.jsonl"), content);
    tiny.run("calibrate --exits %s --data %s --out %s", tiny.exits(), file, file)
        .assertRefused(1, file.toString(), "holds no thresholds", "another file");
    assertThat(file).hasContent(content);
  }

  /** As an unset variable of a script is. */
  @Test
  void anEmptyPathIsNotTheCurrentFolder() {
    CommandLineRun run = tiny.run("add-exits --at 1 --out %s", "");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--out", "the path is empty");
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate --version", "tune -V", "audit verify -V", "--version"})
  void everyCommandKnowsItsVersion(String line) {
    assertThat(CommandLineRun.line(line).succeeded().out()).startsWith("sortie ");
  }

  /** A pipe has no name that says what its lines are; its beginning does. */
  @Test
  void documentsOfAPipeAreThoseOfTheFile() throws IOException, InterruptedException {
    String lines = "{\"text\":\"The fox ran over the hill.\"}\n{\"text\":\"The hen sat.\"}\n";
    Path file = Files.writeString(shared.resolve("documents.jsonl"), lines);
    Path pipe = shared.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Thread writer =
        Thread.startVirtualThread(
            () -> {
              try {
                Files.writeString(pipe, lines);
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    Object tokens = tiny.run("score --json --file %s", file).json().fields().get("tokens");
    assertThat(tiny.run("score --json --file %s", pipe).json().fields())
        .containsEntry("tokens", tokens);
    writer.join();
  }
}
