package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.report.Recorded;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class ServeCommandContractTest {
  @TempDir Path dir;

  private Launched launched;

  @BeforeEach
  void launcher() throws IOException {
    launched = new Launched(dir);
  }

  @AfterEach
  void restore() {
    launched.close();
  }

  @Test
  @Timeout(120)
  void fableIsMeasuredAndHoldsUnderLoad() {
    Path file = dir.resolve("results.jsonl");
    Launched.Run speed =
        Launched.run(
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
    Launched.Run load =
        Launched.run(
            "serve",
            "--model",
            "fable",
            "--clients",
            "4",
            "--tokens",
            "64",
            "--load",
            "5",
            "--record=" + file);
    assertThat(load.code()).as(load.err()).isZero();
    JsonObject held = JsonLines.read(file).getLast().getObjects("rows").getFirst();
    int texts = held.getInt("texts", 1, 1 << 30);
    assertThat(texts).isGreaterThan(8);
    // the last texts end after the five seconds, and their tokens are counted
    assertThat(held.getDouble("rate", 0, 1e9)).isPositive().isLessThan(texts * 64 / 5.0);
    assertThat(held.getInt("different", 0, 0)).isZero();
    assertThat(held.getInt("failures", 0, 0)).isZero();
    assertThat(held.getList("resident_mib")).isNotEmpty();
  }

  /** The peer is serve itself, which takes the port, the last word, alone. */
  @Test
  @Timeout(120)
  void aComparisonWithAPeerIsReported() throws IOException {
    Path peer = dir.resolve("llama-server");
    Files.writeString(
        peer,
        """
        #!/bin/sh
        for word; do port=$word; done
        exec %s serve --model fable --threads 1 --port "$port"
        """
            .formatted(dir.resolve("sortie")));
    assertThat(peer.toFile().setExecutable(true)).isTrue();
    Path file = dir.resolve("results.jsonl");
    Launched.Run run =
        Launched.run(
            "serve",
            "--model",
            "fable",
            "--llama-server",
            peer.toString(),
            "--clients",
            "1",
            "--tokens",
            "4",
            "--rounds",
            "1",
            "--record=" + file);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(JsonLines.read(file).getFirst().getDouble("geomean", 0, 1e6)).isPositive();
    assertThat(Recorded.read(file)).first().extracting(r -> r.cases().size()).isEqualTo(2);
  }

  @Test
  void aServerThatEndsIsOneLine() throws IOException {
    launched.replace("[ \"$1\" = --version ] || { echo a note >&2; echo a reason >&2; exit 3; }");
    Launched.Run run = Launched.run("serve", "--model", "fable");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).isEqualTo("sortie: serve ended with code 3: a reason");
  }

  @Test
  void aPeerThatIsNoProgramIsOneLine() {
    Launched.Run run =
        Launched.run("serve", "--model", "fable", "--llama-server", dir.resolve("no").toString());
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).hasLineCount(1).contains("--llama-server");
  }
}
