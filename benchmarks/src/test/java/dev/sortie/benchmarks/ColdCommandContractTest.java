package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.ranks.ClassPath;
import dev.sortie.benchmarks.report.Recorded;
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
class ColdCommandContractTest {
  private static final String ROOT = "sortie.root";

  @TempDir Path dir;

  private String root;

  /** A launcher that runs the classes under test. */
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
  void fableIsMeasuredWithoutAPeer() {
    Path file = dir.resolve("results.jsonl");
    Run run =
        run(
            "cold",
            "--model",
            "fable",
            "--no-peer",
            "--rounds",
            "1",
            "--case",
            "fable",
            "--record=" + file);
    assertThat(run.code()).as(run.err()).isZero();
    JsonObject result = JsonLines.read(file).getFirst();
    List<JsonObject> rows = result.getObjects("rows");
    assertThat(rows)
        .extracting(row -> row.getString("case"))
        .containsExactly("fable, first token", "fable, exit");
    assertThat(rows.getFirst().getDouble("ours", 0, 100))
        .isPositive()
        .isLessThan(rows.getLast().getDouble("ours", 0, 100));
    assertThat(result.contains("geomean")).isFalse();
    assertThat(Recorded.read(file)).as("results with a peer").isEmpty();
  }

  @Test
  void aRunThatFailsIsOneLine() throws IOException {
    launcher("[ \"$1\" = --version ] || { echo a note >&2; echo a reason >&2; exit 3; }");
    Run run = run("cold", "--model", "fable", "--no-peer", "--case", "fable");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).isEqualTo("sortie: sortie generate ended with code 3: a reason");
  }

  @Test
  void aPeerThatCannotReadTheModelIsOneLine() {
    Run run = run("cold", "--model", "fable", "--case", "^43");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).hasLineCount(1).contains(".gguf").contains("--no-peer");
  }

  @Test
  void casesThatDoNotExistAreRefusedWithThoseThatDo() {
    Run run = run("cold", "--model", "fable", "--no-peer", "--case", "610");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).endsWith("matches none of [43 + 64, fable, tune]");
  }
}
