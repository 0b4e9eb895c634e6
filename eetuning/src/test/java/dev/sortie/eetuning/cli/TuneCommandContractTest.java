package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.eval.task.JsonLines;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code tune}. */
class TuneCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @Test
  void tuneTeachesTheExitsAndReportsAsJson() {
    Path out = temp.resolve("tuned");
    JsonObject json = tiny.tune(tiny.exits(), out, "--json").json();
    assertFields(
        json,
        "steps",
        "losses",
        "validation",
        "tokens_per_second",
        "peak_resident_bytes",
        "exits_sha256");
    assertThat(json.getDouble("peak_resident_bytes", 0, 1e15)).isGreaterThan(1 << 20);
    assertThat(json.getInt("steps", 4, 4)).isEqualTo(4);
    assertThat(json.getObject("losses").fields().keySet()).containsExactly("1", "2");
    assertThat(json.getObject("validation").fields().keySet()).containsExactly("1", "2");
    assertThat(json.getObject("losses").getDouble("1", 0, 50)).isPositive();
    assertThat(json.getDouble("tokens_per_second", 0, 1e12)).isPositive();
    assertThat(json.getString("exits_sha256"))
        .isEqualTo(Sha256.of(out.resolve("exits.safetensors")));
    assertThat(Altered.files(out)).contains("exits.json", "exits.safetensors", "loss.svg");
    assertThat(Sha256.of(tiny.exits().resolve("exits.safetensors")))
        .isNotEqualTo(json.getString("exits_sha256"));
  }

  @Test
  void theSameTuneGivesTheSameBytes() {
    assertThat(tuned(temp.resolve("a"))).isEqualTo(tuned(temp.resolve("b")));
    assertThat(temp.resolve("a/exits.json")).hasSameBinaryContentAs(temp.resolve("b/exits.json"));
  }

  @Test
  void theStepLogHasALineForEachStepAsItEnds() {
    Path log = temp.resolve("steps.jsonl");
    double before = System.currentTimeMillis() / 1e3;
    tiny.tune(tiny.exits(), temp.resolve("tuned"), "--step-log " + log).succeeded();
    List<JsonObject> lines = JsonLines.read(log);
    assertThat(lines).extracting(line -> line.getInt("step", 1, 4)).containsExactly(1, 2, 3, 4);
    assertThat(lines)
        .extracting(line -> line.getDouble("time", before, System.currentTimeMillis() / 1e3))
        .isSorted();
    for (JsonObject line : lines) {
      assertThat(line.getObject("losses").fields().keySet()).containsExactly("1", "2");
      assertThat(line.getDouble("tokens_per_second", 0, 1e12)).isPositive();
    }
    tiny.tune(tiny.exits(), temp.resolve("other"), "--step-log " + temp.resolve("no/such.jsonl"))
        .assertRefused(1, "--step-log", "such.jsonl", "a folder that exists");
  }

  private static String tuned(Path out) {
    return tiny.tune(tiny.exits(), out, "--json").json().getString("exits_sha256");
  }

  @Test
  void tuneAgainWithOtherOptionsOrExitsIsRefused() {
    Path out = temp.resolve("tuned");
    tiny.tune(tiny.exits(), out, "").succeeded();
    tiny.tune(tiny.exits(), out, "--seed 9")
        .assertRefused(1, "step-000004", "seed 1", "now it is 9");
    Path other = temp.resolve("other");
    tiny.run("add-exits --at 1,2 --init random --out %s", other).succeeded();
    tiny.tune(other, out, "").assertRefused(1, "step-000004", "exits_start");
  }
}
