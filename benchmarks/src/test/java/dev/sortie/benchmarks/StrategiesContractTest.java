package dev.sortie.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.sortie.benchmarks.compare.WayFile;
import dev.sortie.benchmarks.compare.WayRun;
import dev.sortie.benchmarks.compare.WayTable;
import dev.sortie.benchmarks.compare.Ways;
import dev.sortie.eetuning.decode.SpeculationReport;
import dev.sortie.eetuning.exit.Exits;
import dev.sortie.eetuning.exit.ExitsFile;
import dev.sortie.eetuning.host.EmbeddedFolder;
import dev.sortie.nn.InputException;
import dev.sortie.nn.json.JsonLines;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.load.Precision;
import dev.sortie.tensor.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bench strategies}: its words, its file and its sums. */
@Tag("slow")
class StrategiesContractTest {
  @TempDir private Path folder;

  private static WayRun run(String way, double seconds, double fullSeconds, double predicted) {
    boolean drafts = !way.equals(Ways.FULL);
    return new WayRun(
        way,
        100,
        seconds,
        fullSeconds,
        predicted,
        100,
        new LinkedHashMap<>(Map.of("0", 100)),
        drafts ? 80 : 0,
        new LinkedHashMap<>(
            drafts ? Map.of("prompt-lookup", new SpeculationReport.DraftCounts(40, 20)) : Map.of()),
        new LinkedHashMap<>(drafts ? Map.of("3", new WayRun.Rows(20, 0.4)) : Map.of()));
  }

  @Test
  void speedsAreSumsOverAllPromptsNextToFullDepth() {
    List<Map<String, Object>> rows =
        WayTable.rows(
            0,
            List.of(
                List.of(run(Ways.FULL, 2, 2, 2), run("speculative", 1, 2, 1.25)),
                List.of(run(Ways.FULL, 4, 4, 4), run("speculative", 2, 8, 1.25))));
    assertThat(rows).hasSize(2);
    assertThat(rows.getFirst()).containsEntry("ratio", 1.0).containsEntry("case", "full, greedy");
    assertThat(rows.getLast())
        .containsEntry("ours", 66.67)
        .containsEntry("peer", 20.0)
        .containsEntry("ratio", 3.333)
        .containsEntry("prediction_error", 0.2)
        .containsEntry("tokens_per_pass", 1.25)
        .containsEntry("sources", Map.of("prompt-lookup", Map.of("share", 0.2, "right", 0.5)))
        .containsEntry("rows", Map.of("3", List.of(40, 20.0)));
  }

  @Test
  void aFileContinuesWhereItStoppedAndRefusesOtherSettings() {
    Path file = folder.resolve("runs.jsonl");
    WayFile runs = new WayFile(file, "one");
    assertThat(runs.read()).isEmpty();
    List<WayRun> first = List.of(run(Ways.FULL, 2, 2, 2), run("speculative", 1, 2, 1.25));
    runs.append(new WayFile.Unit(0, "fox"), first);
    runs.append(new WayFile.Unit(0.8, "fox"), first);
    assertThat(runs.read())
        .containsEntry(new WayFile.Unit(0, "fox"), first)
        .containsOnlyKeys(new WayFile.Unit(0, "fox"), new WayFile.Unit(0.8, "fox"));
    assertThatThrownBy(() -> new WayFile(file, "two").read())
        .isInstanceOf(InputException.class)
        .hasMessageContaining("one")
        .hasMessageContaining("two");
  }

  @Test
  void wordsThatMeanNothingAreRefused() {
    try (Device device = Device.cpu(1);
        LanguageModel m = LanguageModel.load(EmbeddedFolder.FABLE.path(), Precision.F32, device)) {
      assertThat(
              Ways.of(List.of("speculative:prompt-lookup"), m, null, Exits.none(), device).keySet())
          .containsExactly("full", "speculative:prompt-lookup");
      for (String word :
          List.of(
              "fast",
              "early-exit@0.5",
              "early-exit:8",
              "early-exit:8=0.5",
              "early-exit:8=0.5+4",
              "early-exit:8=2",
              "early-exit:missing.json",
              "speculative:lookahead",
              "full@1")) {
        assertThatThrownBy(() -> Ways.of(List.of(word), m, null, Exits.none(), device))
            .as(word)
            .isInstanceOf(InputException.class);
      }
    }
    assertThat(Ways.defaults(Exits.none())).containsExactly("speculative:prompt-lookup");
  }

  private static Launched.Run strategies(Path prompts, Path out, String... more) {
    List<String> words = new ArrayList<>(List.of("strategies", "--model", "fable"));
    words.addAll(List.of("--threads", "1", "--dtype", "f32", "--temperatures", "0"));
    words.addAll(List.of("--prompts", prompts.toString(), "--out", out.toString()));
    words.addAll(List.of(more));
    return Launched.run(words.toArray(String[]::new));
  }

  @Test
  void textsOfLosslessWaysAreThoseOfFullDepth() {
    Path out = folder.resolve("fable.jsonl");
    Path prompts = Path.of("prompts.jsonl").toAbsolutePath();
    Launched.Run run = strategies(prompts, out, "--limit", "2", "--tokens", "24");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(out).content().contains("photosynthesis", "\"fox\"", "speculative:prompt-lookup");
  }

  @Test
  void runsThatWereNotAskedForCountNeitherAsDoneNorInTheResult() throws IOException {
    Path prompts = folder.resolve("prompts.jsonl");
    Files.writeString(
        prompts,
        """
        {"id": "a", "prompt": "The fox"}
        {"id": "b", "prompt": "The hen"}
        """);
    Path out = folder.resolve("runs.jsonl");
    String way = "--way=speculative:prompt-lookup";
    Launched.Run both = strategies(prompts, out, way, "--tokens=4");
    assertThat(both.code()).as(both.err()).isZero();
    assertThat(out).content().hasLineCount(2);
    Path results = Files.createDirectories(folder.resolve("benchmarks")).resolve("results.jsonl");
    String[] warm = {way, "--tokens=4", "--limit=1", "--temperatures=0.8", "--record"};
    List<String> noTime = new ArrayList<>(List.of(warm));
    noTime.add("--seconds=0");
    try (Launched _ = new Launched(folder)) { // results are kept in the folder
      Launched.Run none = strategies(prompts, out, noTime.toArray(String[]::new));
      assertThat(none.code()).as(none.err()).isZero();
      assertThat(results).doesNotExist();
      Launched.Run one = strategies(prompts, out, warm);
      assertThat(one.code()).as(one.err()).isZero();
    }
    assertThat(out).content().hasLineCount(3);
    assertThat(JsonLines.read(results).getFirst().getObjects("rows"))
        .extracting(row -> row.getString("case"), row -> row.getInt("prompts", 0, 9))
        .contains(tuple("full, greedy", 1), tuple("full, temperature 0.8", 1));
  }

  @Test
  void runsOfOtherPromptsExitsOrArithmeticAreNotTakenOver() throws IOException {
    Path prompts = folder.resolve("prompts.jsonl");
    Files.writeString(prompts, "{\"id\": \"a\", \"prompt\": \"The fox\"}\n");
    Path out = folder.resolve("runs.jsonl");
    String[] few = {"--tokens", "4", "--way", "speculative:prompt-lookup"};
    assertThat(strategies(prompts, out, few).code()).isZero();
    assertThat(out).content().hasLineCount(1).contains("arithmetic exact, exits none, prompts ");
    assertThat(strategies(prompts, out, few).code()).isZero();
    assertThat(out).content().hasLineCount(1);

    List<String> withExits = new ArrayList<>(List.of(few));
    withExits.addAll(List.of("--exits", "fable"));
    assertThat(strategies(prompts, out, withExits.toArray(String[]::new)).err())
        .contains("take another file", ExitsFile.sha256(EmbeddedFolder.FABLE_EXITS.path()));
    Files.writeString(prompts, "{\"id\": \"a\", \"prompt\": \"The hen\"}\n");
    assertThat(strategies(prompts, out, few).err()).contains("take another file");
  }
}
