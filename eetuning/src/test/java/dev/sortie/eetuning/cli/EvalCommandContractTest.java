package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.heads;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code eval}. */
class EvalCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @Test
  void evalScoresTextsChoicesAndAnswersAndWritesAReport() throws IOException {
    Path tasks = temp.resolve("animals.jsonl");
    Files.writeString(
        tasks,
        """
        {"context": "The fox", "choices": ["ran", "said nothing"], "answer": 0}
        {"task": "qa", "prompt": "The hen", "references": ["sat"], "max_tokens": 6}
        {"task": "qa", "prompt": "The tree said", "references": ["nothing", "no"], "max_tokens": 6}
        """);
    Path out = temp.resolve("eval");
    JsonObject json =
        tiny.run(
                "eval --exits %s --active all --text %s --tasks %s --threshold 0.5,0.01 --each-exit --out %s --json",
                tiny.exits(), tiny.data(), tasks, out)
            .json();
    assertThat(json.getObject("run").getString("command"))
        .startsWith("./sortie eval --threads 1 --model");
    assertThat(heads(json.getObject("text"))).containsExactly("1", "2", "final");
    assertThat(json.getObject("choices").getObject("animals").fields().keySet())
        .containsExactly("1", "2", "final");
    List<JsonObject> settings = json.getObjects("settings");
    // full depth, speculative, exits that nothing leaves at, and, without drafts and with, both
    // thresholds with both exits and with each alone
    assertThat(settings).hasSize(3 + 2 * 3 * 2);
    assertThat(settings.get(2).getString("technique")).isEqualTo("none");
    assertThat(settings.get(2).getDouble("agreement", 0, 1)).isEqualTo(1);
    for (int i = 3; i < 9; i++) {
      JsonObject drafted = settings.get(i + 6);
      assertThat(drafted.getString("strategy")).isEqualTo("early-exit+prompt-lookup");
      for (String same : List.of("threshold", "active_exits", "exits", "tasks")) {
        assertThat(drafted.fields().get(same).toString())
            .isEqualTo(settings.get(i).fields().get(same).toString());
      }
    }
    assertThat(settings.get(0).getString("strategy")).isEqualTo("full");
    assertThat(settings.get(1).getString("strategy")).isEqualTo("speculative");
    assertThat(settings.get(1).getObject("tasks").fields().toString())
        .isEqualTo(settings.get(0).getObject("tasks").fields().toString());
    assertThat(settings.get(0).getDouble("agreement", 0, 1)).isEqualTo(1);
    assertThat(settings.get(1).getDouble("agreement", 0, 1)).isEqualTo(1);
    for (JsonObject s : settings) {
      assertThat(s.getDouble("predicted_tokens_per_second", 0, 1e9)).isPositive();
      s.getObject("tasks").getObject("qa").getDouble("rouge_l", 0, 1);
    }
    assertThat(Altered.files(out)).containsExactly("report.html", "results.json");
    assertThat(Files.readString(out.resolve("report.html"))).contains("Quality against speed");
  }

  @Test
  void theReportCallsTheModelByItsName() {
    JsonObject json =
        CommandLineRun.line(
                "eval --threads 1 --model fable --text %s --out %s --json",
                tiny.data(), temp.resolve("fable"))
            .json();
    assertThat(json.getString("model")).isEqualTo("fable");
  }

  @Test
  void theOracleKnowsWhatDepthTokensNeed() throws IOException {
    Path out = temp.resolve("eval");
    JsonObject oracle =
        tiny.run(
                "eval --exits %s --text %s --oracle --out %s --json",
                tiny.exits(), tiny.data(), out)
            .json()
            .getObject("oracle");
    assertThat(oracle.getObject("thresholds").fields()).containsKeys("1", "2");
    List<JsonObject> parts = oracle.getObjects("parts");
    JsonObject all = parts.getFirst();
    assertThat(all.getString("kind")).isEqualTo("all");
    assertThat(all.getDouble("agreement", 0, 1)).isGreaterThanOrEqualTo(0.95);
    int sum = 0;
    for (JsonObject part : parts.subList(1, parts.size())) {
      sum += part.getInt("tokens", 1, 1 << 20);
    }
    assertThat(all.getInt("tokens", 1, 1 << 20)).isEqualTo(sum);
    assertThat(Files.readString(out.resolve("report.html"))).contains("What depth do tokens need?");
    assertThat(
            tiny.run("eval --text %s --oracle --out %s", tiny.data(), temp.resolve("none")).err())
        .contains("--oracle needs --text FILE and --exits DIR");
  }

  @Test
  void theOracleOverSetsNeedsNoMoreLayersThanThatOverExits() throws IOException {
    Path out = temp.resolve("eval");
    JsonObject oracle =
        tiny.run(
                "eval --exits %s --text %s --oracle --layer-sets 20 --oracle-tokens 60 --out %s"
                    + " --json",
                tiny.exits(), tiny.data(), out)
            .json()
            .getObject("oracle");
    JsonObject sets = oracle.getObject("sets");
    assertThat(sets.getBoolean("exact")).isTrue();
    JsonObject exits = oracle.getObjects("parts").getFirst();
    JsonObject all = sets.getObjects("parts").getFirst();
    assertThat(all.getInt("tokens", 1, 60)).isEqualTo(exits.getInt("tokens", 1, 60));
    assertThat(all.getDouble("layers", 0, 3))
        .isLessThanOrEqualTo(exits.getDouble("needed_depth", 0, 3));
    assertThat(Files.readString(out.resolve("report.html"))).contains("any set of layers");
    assertThat(
            tiny.run(
                    "eval --exits %s --text %s --oracle --layer-sets 1 --out %s",
                    tiny.exits(), tiny.data(), out)
                .succeeded()
                .out())
        .contains("any set", "at most 1 sets were kept");
    for (String[] wrong :
        new String[][] {
          {"--layer-sets 4", "--layer-sets and --oracle-tokens need --oracle"},
          {"--oracle --layer-sets 0", "--layer-sets 0 must be at least 1"},
          {"--oracle --oracle-tokens 8", "--oracle-tokens 8 must be at least 9"}
        }) {
      tiny.run(
              "eval --exits %s --text %s " + wrong[0] + " --out %s", tiny.exits(), tiny.data(), out)
          .assertRefused(2, wrong[1]);
    }
  }

  private void refusedWith(int code, Path tasks, String options, String... parts) {
    Path out = temp.resolve("refused");
    tiny.run(
            "eval --exits %s --text %s --tasks %s --out %s " + options,
            tiny.exits(),
            tiny.data(),
            tasks,
            out)
        .assertRefused(code, parts);
    assertThat(out).doesNotExist();
  }

  @Test
  void optionsThatWouldHaveNoEffectAreRefused() throws IOException {
    Path thresholds = temp.resolve("thresholds.json");
    tiny.run(
            "calibrate --exits %s --active all --data %s --window 16 --level 0.9 --out %s",
            tiny.exits(), tiny.data(), thresholds)
        .succeeded();
    String file = "--thresholds " + thresholds;
    Path choices =
        Files.writeString(
            temp.resolve("choices.jsonl"),
            "{\"context\": \"The fox\", \"choices\": [\"a\", \"b\"], \"answer\": 0}");
    for (String option :
        List.of(
            "--strategy early-exit",
            "--threshold 0.5",
            "--each-exit",
            "--active all",
            "--rounds 2")) {
      refusedWith(1, choices, option, "need --tasks with prompts to answer");
    }
    refusedWith(1, choices, file, file + " needs --oracle, or --tasks with prompts");
    Path answers = Files.writeString(temp.resolve("answers.jsonl"), "{\"prompt\": \"The hen\"}");
    String drafts = "--strategy speculative ";
    refusedWith(1, answers, drafts + file, file + " needs --oracle");
    refusedWith(2, answers, drafts + "--threshold 0.5", "are not for --strategy speculative");
    refusedWith(2, answers, drafts + "--each-exit", "are not for --strategy speculative");
    tiny.run("eval --text %s --each-exit --out %s", tiny.data(), temp.resolve("refused"))
        .assertRefused(2, "--each-exit need --exits");
  }

  /** Before anything is computed. */
  @Test
  void thresholdsOfOtherExitsAreRefusedBeforeTheTextIsScored() throws IOException {
    Path thresholds = temp.resolve("thresholds.json");
    Path others = temp.resolve("others");
    tiny.run("add-exits --at 1,2 --seed 4 --init random --out %s", others).succeeded();
    tiny.run(
            "calibrate --exits %s --active all --data %s --window 16 --level 0.9 --out %s",
            others, tiny.data(), thresholds)
        .succeeded();
    Path answers = Files.writeString(temp.resolve("answers.jsonl"), "{\"prompt\": \"The hen\"}");
    refusedWith(1, answers, "--thresholds " + thresholds, thresholds + ": exits_sha256 is");
  }

  @Test
  void whatCannotBeEvaluatedIsRefused() throws IOException {
    Path out = temp.resolve("eval");
    Path tasks =
        Files.writeString(temp.resolve("animals.jsonl"), "{\"prompt\": \"a\"}\n{\"prompt\": 1}\n");
    tiny.run("eval --out %s", out).assertRefused(2, "--text", "--tasks");
    tiny.run("eval --text %s --threshold 0.5 --out %s", tiny.data(), out)
        .assertRefused(2, "--exits");
    tiny.run("eval --text %s --strategy magic --out %s", tiny.data(), out)
        .assertRefused(2, "magic");
    tiny.run("eval --tasks %s --out %s", tasks, out)
        .assertRefused(1, "animals.jsonl line 2", "\"prompt\" is 1");
  }
}
