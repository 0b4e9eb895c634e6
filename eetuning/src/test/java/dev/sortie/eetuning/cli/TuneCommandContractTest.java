package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
    Path log = temp.resolve("tuned/steps.jsonl"); // in the folder that the run makes
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

  @Test
  void tuneAgainWithRoundedWeightsIsRefused() {
    Path exact = temp.resolve("exact");
    tiny.tune(tiny.exits(), exact, "").succeeded();
    tiny.tune(tiny.exits(), exact, "--dtype bf16")
        .assertRefused(1, "step-000004", "without weights 'bf16'");
    tiny.tune(tiny.exits(), exact, "--dtype file").succeeded();
    Path rounded = temp.resolve("rounded");
    tiny.tune(tiny.exits(), rounded, "--dtype bf16").succeeded();
    tiny.tune(tiny.exits(), rounded, "")
        .assertRefused(1, "step-000004", "with weights bf16, now there is none");
  }

  @Test
  void aLearningRateThatIsTooHighIsOneLineEachTime() {
    Path out = temp.resolve("tuned");
    for (int attempt = 0; attempt < 2; attempt++) {
      CommandLineRun run =
          CommandLineRun.line(
              "tune --threads 1 --model %s --exits %s --data %s --out %s --steps 12 --seq-len 16 --micro-batch 2 --lr 1e30 --warmup 0 --held-out 0.1 --validate-every 1",
              tiny.model(), tiny.exits(), tiny.data(), out);
      assertThat(run.code()).isEqualTo(1);
      assertThat(run.err().lines().filter(l -> l.startsWith("sortie: ")))
          .as(run.err())
          .hasSize(1)
          .allMatch(l -> l.contains("training diverged; lower --lr"));
      assertThat(run.err()).doesNotContain("internal error", "\tat ");
    }
  }

  /** In lines and in one line of words. */
  @ParameterizedTest
  @ValueSource(strings = {"\n", " "})
  @Tag("slow")
  void aLargeTextTakesLittleMemory(String end) throws Exception {
    Path large = Files.writeString(temp.resolve("large.txt"), (TinyModel.TEXT + end).repeat(1000));
    String text = Files.readString(large);
    while (Files.size(large) < 48 << 20) {
      Files.writeString(large, text, StandardOpenOption.APPEND);
    }
    String line =
        "tune --threads 1 --model %s --exits %s --data %s --out %s --steps 2 --seq-len 16"
            .formatted(tiny.model(), tiny.exits(), large, temp.resolve("tuned"));
    Map<String, String> smallHeap = Map.of("JAVA_TOOL_OPTIONS", "-Xmx64m");
    try (CommandLineProcess tune = new CommandLineProcess(smallHeap, line.split(" "))) {
      CommandLineRun run = tune.end();
      assertThat(run.code()).as(run.err()).isZero();
    }
  }

  @Test
  void aRefusedRunLeavesTheTokensOfTheOneBeforeIt() throws IOException {
    Path out = temp.resolve("tuned");
    tiny.tune(tiny.exits(), out, "").succeeded();
    byte[] tokens = Files.readAllBytes(out.resolve("tokens.bin"));
    Path other = Files.writeString(temp.resolve("other.txt"), TinyModel.TEXT + " the end");
    String again =
        "tune --threads 1 --model %s --exits %s --data %s --out %s --steps 2 --seq-len 16";
    CommandLineRun.line(again, tiny.model(), tiny.exits(), other, out)
        .assertRefused(1, "tokens.bin: this run was begun with other data", "--out");
    assertThat(out.resolve("tokens.bin")).hasBinaryContent(tokens);
    assertThat(out.resolve("tokens.bin.again")).doesNotExist();
    CommandLineRun.line(
            "pretrain --threads 1 --data %s --out %s --vocab 270 --seq-len 16 --steps 2",
            tiny.data(), out)
        .assertRefused(1, "tokenizer.json: not there", "--out");
    assertThat(out.resolve("tokenizer.json")).doesNotExist();
  }

  /** Each try has options of its own, so that it would end elsewhere if it were let in. */
  @Test
  void aSecondRunIntoTheSameFolderIsRefusedAndNamesTheFirst() throws Exception {
    Path out = temp.resolve("tuned");
    String[] words =
        "tune --threads 1 --model %s --exits %s --data %s --out %s --steps 1000000 --seq-len 16 --held-out 0.1 --checkpoint-every 20 --validate-every 1000000"
            .formatted(tiny.model(), tiny.exits(), tiny.data(), out)
            .split(" ");
    ProcessHandle holder;
    try (CommandLineProcess first = new CommandLineProcess(Map.of(), words)) {
      holder = ProcessHandle.of(first.pid()).orElseThrow();
      Path checkpoints = out.resolve("checkpoints/latest");
      for (int i = 0; i < 600 && !Files.exists(checkpoints); i++) {
        Thread.sleep(100);
      }
      for (int seed = 0; seed < 20; seed++) {
        CommandLineRun second = tiny.tune(tiny.exits(), out, "--seed " + seed);
        second.assertRefused(
            1, out.toString(), "process " + first.pid() + " on ", "since ", "--out");
      }
    }
    holder.onExit().get(10, TimeUnit.SECONDS);
    // the system has taken the lock of the process that was killed
    tiny.tune(tiny.exits(), out, "").assertRefused(1, "this run was begun with");
  }

  /** Whoever comes second is refused, by the lock or by what the first has done. */
  @Tag("slow")
  @Test
  void ofTwoRunsThatBeginTogetherOneEndsWellAndItsResultIsThere() throws Exception {
    // Most of a round is the start of two JVMs; by C1 and scalar kernels it takes a third less.
    Map<String, String> quick =
        Map.of("JDK_JAVA_OPTIONS", "-Dsortie.kernels=scalar -XX:TieredStopAtLevel=1");
    for (int round = 0; round < 20; round++) {
      Path out = temp.resolve("round-" + round);
      List<CommandLineProcess> both = new ArrayList<>();
      List<CommandLineRun> runs = new ArrayList<>();
      try {
        for (int seed = 1; seed <= 2; seed++) {
          String line =
              "tune --threads 1 --json --model %s --exits %s --data %s --out %s --steps 40 --seq-len 16 --held-out 0.1 --checkpoint-every 2 --seed %d"
                  .formatted(tiny.model(), tiny.exits(), tiny.data(), out, seed);
          both.add(new CommandLineProcess(quick, line.split(" ")));
        }
        for (CommandLineProcess one : both) {
          runs.add(one.end());
        }
      } finally {
        for (CommandLineProcess one : both) {
          one.close();
        }
      }
      List<CommandLineRun> well = runs.stream().filter(r -> r.code() == 0).toList();
      List<CommandLineRun> badly = runs.stream().filter(r -> r.code() == 1).toList();
      assertThat(well).as("round %d: %s", round, runs).hasSize(1);
      assertThat(badly).hasSize(1);
      assertThat(badly.getFirst().err()).containsAnyOf("writes here", "this run was begun with");
      assertThat(well.getFirst().json().getString("exits_sha256"))
          .isEqualTo(Sha256.of(out.resolve("exits.safetensors")));
    }
  }
}
