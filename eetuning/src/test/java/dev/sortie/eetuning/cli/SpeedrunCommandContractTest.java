package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code speedrun}: all of it, in few steps. */
@Tag("slow")
@Tag("any-kernels")
class SpeedrunCommandContractTest {
  private static final List<String> STAGES =
      List.of("pretrain", "add-exits", "tune", "calibrate", "eval");

  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static Path text;

  @BeforeAll
  static void writeText() throws IOException {
    List<String> words = List.of("the", "king", "and", "queen", "went", "to", "a", "wood", "said");
    Random random = new Random(1);
    StringBuilder all = new StringBuilder();
    while (all.length() < 450_000) {
      for (int i = 0; i < 12; i++) {
        all.append(words.get(random.nextInt(words.size()))).append(' ');
      }
      all.setCharAt(all.length() - 1, '\n');
    }
    text = Files.writeString(shared.resolve("a text.txt"), all);
  }

  private CommandLineRun run(Path out, String... more) {
    List<String> words = new java.util.ArrayList<>(List.of("speedrun", "--data", text.toString()));
    words.addAll(List.of("--out", out.toString(), "--threads", "1"));
    if (!List.of(more).contains("--steps")) {
      words.addAll(List.of("--steps", "5"));
    }
    words.addAll(List.of(more));
    return CommandLineRun.of(words.toArray(String[]::new));
  }

  @Test
  void textBecomesAModelWithCalibratedExitsAndAFigure() throws IOException {
    Path out = temp.resolve("a run");
    Path record = temp.resolve("runs.jsonl");
    JsonObject result = run(out, "--json", "--record", record.toString()).json();
    double bits = result.getDouble("bits_per_byte", 0, 10);
    assertThat(result.getDouble("minutes", 0, 60)).isPositive();
    assertThat(result.getObject("seconds").fields().keySet()).containsExactlyElementsOf(STAGES);
    JsonObject evaluation = Json.read(out.resolve("eval/results.json")).getObject("text");
    assertThat(bits)
        .isEqualTo(evaluation.getObjects("heads").getLast().getDouble("bits_per_byte", 0, 10));
    assertThat(evaluation.getLong("bytes", 0, 1 << 20))
        .isEqualTo(Files.size(out.resolve("held-out.txt")));
    String page = Files.readString(out.resolve("report.md"));
    assertThat(page).contains("minutes on 1 threads to", "| pretrain |", "--data '", "Thresholds");
    assertThat(Files.readString(out.resolve("train-000.txt")))
        .isEqualTo(
            Files.readString(text).substring(0, (int) Files.size(out.resolve("train-000.txt"))));

    // everything is done: the same command only reports, and the target decides its exit code
    JsonObject again = run(out, "--json", "--record", record.toString(), "--target", "99").json();
    assertThat(again.fields().get("seconds").toString())
        .isEqualTo(result.fields().get("seconds").toString());
    assertThat(again.getBoolean("reached")).isTrue();
    assertThat(JsonLines.read(record)).hasSize(2);
    CommandLineRun missed = run(out, "--target", "0.001");
    assertThat(missed.code()).isEqualTo(1);
    assertThat(missed.out()).contains("the target of 0.001 is missed");

    CommandLineRun other = run(out, "--seed", "2");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err()).contains("speedrun.json", "seed", "give another --out");
  }

  @Test
  void ofAnInterruptedRunNoTimeIsTold() throws IOException {
    Path out = temp.resolve("run");
    Files.createDirectories(out);
    Files.writeString(out.resolve(".begun-pretrain"), "");
    JsonObject result = run(out, "--json").json();
    assertThat(result.fields().get("minutes")).isNull();
    assertThat(run(out).succeeded().out()).contains("an unknown time, since it was interrupted");
  }

  /** As after a kill between the end of a stage and the record of it. */
  @Test
  void aStageThatHadWrittenItsResultIsDoneAgain() throws IOException {
    Path out = temp.resolve("run");
    run(out).succeeded();
    Path record = out.resolve("speedrun.json");
    List<?> all = Json.read(record).getList("stages");
    for (int done = 1; done < STAGES.size(); done++) {
      Map<String, Object> cut = new LinkedHashMap<>(Json.read(record).fields());
      cut.put("stages", all.subList(0, done));
      Json.write(record, cut);
      Files.writeString(out.resolve(".begun-" + STAGES.get(done)), "");
      assertThat(run(out).succeeded().out()).as(STAGES.get(done)).contains("interrupted");
    }
  }

  @Test
  void whatCannotRunIsRefused() throws IOException {
    Path small = Files.writeString(temp.resolve("small.txt"), "too little\n".repeat(100));
    CommandLineRun little =
        CommandLineRun.of("speedrun", "--data", small.toString(), "--out", temp.resolve("o") + "");
    assertThat(little.code()).isEqualTo(1);
    assertThat(little.err()).contains("small.txt", "at least 20000 are needed");
    assertThat(run(temp.resolve("p"), "--target", "0").err()).contains("--target 0.0");
    assertThat(run(temp.resolve("q"), "--steps", "4").err()).contains("--steps 4");
    Path lines = Files.writeString(temp.resolve("set.jsonl"), "{}");
    assertThat(
            CommandLineRun.of("speedrun", "--data", lines + "", "--out", temp.resolve("r") + "")
                .err())
        .contains("set.jsonl: is JSON lines");
  }
}
