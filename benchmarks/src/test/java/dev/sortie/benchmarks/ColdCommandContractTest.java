package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.benchmarks.report.Recorded;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class ColdCommandContractTest {
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
  void fableIsMeasuredWithoutAPeer() {
    Path file = dir.resolve("results.jsonl");
    Launched.Run run = onceTo(file, "fable");
    assertThat(run.code()).as(run.err()).isZero();
    JsonObject result = JsonLines.read(file).getFirst();
    List<JsonObject> rows = result.getObjects("rows");
    assertThat(rows)
        .extracting(row -> row.getString("case"))
        .containsExactly(
            "fable, first token",
            "fable, exit",
            "fable, short prompt, first token",
            "fable, short prompt, exit");
    for (int i = 0; i < rows.size(); i += 2) {
      JsonObject firstToken = rows.get(i);
      JsonObject exit = rows.get(i + 1);
      assertThat(firstToken.getDouble("ours", 0, 100))
          .as(firstToken.getString("case"))
          .isPositive()
          .isLessThan(exit.getDouble("ours", 0, 100));
    }
    assertThat(result.contains("geomean")).isFalse();
    assertThat(Recorded.read(file)).as("results with a peer").isEmpty();
  }

  @Test
  void aRunThatFailsIsOneLine() throws IOException {
    launched.replace("[ \"$1\" = --version ] || { echo a note >&2; echo a reason >&2; exit 3; }");
    Launched.Run run = Launched.run("cold", "--model", "fable", "--no-peer", "--case", "fable");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).isEqualTo("sortie: sortie generate ended with code 3: a reason");
  }

  @Test
  @Timeout(120)
  void aCaseThatFailsDoesNotLoseThoseBeforeIt() throws IOException {
    launched.before("[ \"$1\" != tune ] || { echo a reason >&2; exit 3; }");
    Path file = dir.resolve("results.jsonl");
    Launched.Run run = onceTo(file, "short|tune");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("sortie: sortie tune ended with code 3: a reason");
    assertThat(JsonLines.read(file).getFirst().getObjects("rows"))
        .extracting(row -> row.getString("case"))
        .containsExactly("fable, short prompt, first token", "fable, short prompt, exit");
  }

  @Test
  void aPeerThatCannotReadTheModelIsOneLine() {
    Launched.Run run = Launched.run("cold", "--model", "fable", "--case", "^43");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err().strip()).hasLineCount(1).contains(".gguf").contains("--no-peer");
  }

  @Test
  void casesThatDoNotExistAreRefusedWithThoseThatDo() {
    Launched.Run run = Launched.run("cold", "--model", "fable", "--no-peer", "--case", "610");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().strip())
        .endsWith("matches none of [43 + 64, fable, fable, short prompt, tune]");
  }

  /** One round of some cases of {@code fable}, recorded in a file. */
  private static Launched.Run onceTo(Path file, String cases) {
    return Launched.run(
        "cold",
        "--model",
        "fable",
        "--no-peer",
        "--rounds",
        "1",
        "--case",
        cases,
        "--record=" + file);
  }
}
