package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.ranks.ClassPath;
import dev.sortie.eetuning.eval.task.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Tag("slow")
class ServeCommandContractTest {
  private static final String ROOT = "sortie.root";

  @TempDir Path dir;

  private String root;

  @BeforeEach
  void launcher() throws IOException {
    launcher(
        "exec '%s' --add-modules jdk.incubator.vector -cp '%s' dev.sortie.eetuning.cli.Main \"$@\""
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"), ClassPath.running()));
    root = System.setProperty(ROOT, dir.toString());
  }

  @AfterEach
  void restore() {
    if (root == null) {
      System.clearProperty(ROOT);
    } else {
      System.setProperty(ROOT, root);
    }
  }

  private void launcher(String command) throws IOException {
    Path script = Files.writeString(dir.resolve("sortie"), "#!/bin/sh\n" + command + "\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
  }

  private record Run(int code, String err) {}

  private static Run run(String... args) {
    StringWriter err = new StringWriter();
    CommandLine line = Bench.commandLine();
    line.setErr(new PrintWriter(err));
    return new Run(line.execute(args), err.toString());
  }

  @Test
  @Timeout(120)
  void fableIsMeasuredAndHoldsUnderLoad() {
    Path file = dir.resolve("results.jsonl");
    Run speed =
        run(
            "serve",
            "--model",
            "fable",
            "--clients",
            "1,2",
            "--tokens",
            "8",
            "--rounds",
            "1",
            "--record=" + file);
    assertThat(speed.code()).as(speed.err()).isZero();
    List<JsonObject> rows = JsonLines.read(file).getFirst().getObjects("rows");
    assertThat(rows)
        .extracting(row -> row.getString("case"))
        .containsExactly("1 client", "2 clients", "first token");
    assertThat(rows).allSatisfy(row -> assertThat(row.getDouble("ours", 0, 1e6)).isPositive());
    Run load =
        run(
            "serve",
            "--model",
            "fable",
            "--clients",
            "4",
            "--tokens",
            "8",
            "--load",
            "5",
            "--record=" + file);
    assertThat(load.code()).as(load.err()).isZero();
    JsonObject held = JsonLines.read(file).getLast().getObjects("rows").getFirst();
    assertThat(held.getInt("texts", 1, 1 << 30)).isGreaterThan(8);
    assertThat(held.getInt("different", 0, 0)).isZero();
    assertThat(held.getInt("failures", 0, 0)).isZero();
    assertThat(held.getList("resident_mib")).isNotEmpty();
  }

  @Test
  void aServerThatEndsIsOneLine() throws IOException {
    launcher("[ \"$1\" = --version ] || { echo a note >&2; echo a reason >&2; exit 3; }");
    Run run = run("serve", "--model", "fable");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).isEqualTo("sortie: serve ended with code 3: a reason");
  }

  @Test
  void aPeerThatIsNoProgramIsOneLine() {
    Run run = run("serve", "--model", "fable", "--llama-server", dir.resolve("no").toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).hasLineCount(1).contains("--llama-server");
  }
}
