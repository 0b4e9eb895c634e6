package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static dev.sortie.eetuning.cli.TinyCommands.exitsOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code calibrate}, and {@code generate} with what it writes. */
class CalibrateCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private Path sequences() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 30; i++) {
      String words = TinyModel.TEXT.substring(i, i + 60).replace("\"", "\\\"");
      String field = i % 2 == 0 ? "prompt" : "text";
      lines.append("{\"" + field + "\": \"" + words + "\"}\n");
    }
    return Files.writeString(temp.resolve("held-out.jsonl"), lines);
  }

  @Test
  void calibrateWritesThresholdsThatGenerateTakesForTheSameExitsAlone() throws IOException {
    Path sequences = sequences();
    Path file = temp.resolve("thresholds.json");
    Path traces = temp.resolve("traces.jsonl");
    CommandLineRun made = calibrate(sequences, file, "--level 0.4 --json --traces " + traces);
    String kept = Files.readString(traces);
    assertThat(calibrate(sequences, file, "--level 0.4 --json --traces " + traces).out())
        .isEqualTo(made.out());
    assertThat(Files.readString(traces)).isEqualTo(kept).hasLineCount(31);
    JsonObject json = made.json();
    assertFields(json, "exits_sha256", "dtype", "policy", "thresholds", "promise");
    JsonObject promise = json.getObject("promise");
    assertThat(promise.getInt("sequences", 1, 30)).isEqualTo(30);
    assertThat(promise.getDouble("p_value", 0, 0.05)).isNotNaN();
    assertThat(exitsOf(generate(tiny.exits(), file, "").json())).isNotEmpty();
    Path others = temp.resolve("others");
    tiny.run("add-exits --at 1,2 --init random --seed 5 --out %s", others).succeeded();
    generate(others, file, "")
        .assertRefused(1, "thresholds.json", "exits_sha256", "run calibrate again");
    generate(tiny.exits(), file, "--dtype bf16").assertRefused(1, "dtype", "f32", "bf16");
    generate(tiny.exits(), file, "--threshold 0.5").assertRefused(2, "--thresholds", "--threshold");
  }

  @Test
  void splitsMeasureTheCalibrationOnHeldOutSequences() throws IOException {
    Path sequences = sequences();
    Path file = temp.resolve("thresholds.json");
    String how = "--guarantee marginal --level 0.4 --splits 20 ";
    JsonObject splits = calibrate(sequences, file, how + "--json").json().getObject("splits");
    assertThat(splits.getInt("count", 1, 100)).isEqualTo(20);
    assertThat(splits.getInt("sequences", 1, 30)).isEqualTo(20);
    assertThat(splits.getInt("held_out", 1, 30)).isEqualTo(10);
    assertThat(splits.getDouble("risk", 0, 1)).isLessThan(0.6);
    assertThat(Files.readString(file)).doesNotContain("splits");
    assertThat(calibrate(sequences, file, how).succeeded().out())
        .contains("20 random splits, thresholds from 20 sequences and measured on the other 10");
    calibrate(sequences, file, "--level 0.4 --splits 0").assertRefused(2, "--splits 0");
  }

  @Test
  void thresholdsThatLieWithTheExitsAreTakenUnlessOthersAreGiven() throws IOException {
    Path exits = temp.resolve("exits");
    tiny.run("merge-exits --out %s %s", exits, tiny.exits()).succeeded();
    Path beside = exits.resolve("thresholds.json");
    Path data = sequences();
    tiny.run(
            "calibrate --exits %s --active all --data %s --window 32 --tokens 8 --level 0.4 --out %s",
            exits, data, beside)
        .succeeded();
    String always = Files.readString(beside).replaceAll("(\"[12]\" ?): ?[0-9.Ee-]+", "$1: 0");
    Files.writeString(beside, always);
    assertThat(exitsOf(tiny.generate("--exits %s --max-tokens 8", exits).json()).subList(1, 8))
        .containsOnly(1L);
    assertThat(exitsOf(tiny.generate("--exits %s --max-tokens 8 --threshold 1", exits).json()))
        .containsOnly("final");
    tiny.generate("--exits %s --max-tokens 8 --dtype bf16", exits)
        .assertRefused(1, "thresholds.json: dtype", "f32", "bf16", "or set --threshold");
    tiny.generate("--exits %s --max-tokens 8 --dtype bf16 --threshold 0.5", exits).succeeded();
    tiny.generate("--exits %s --max-tokens 8 --strategy speculative", exits).succeeded();
    Files.writeString(beside, "{}");
    tiny.generate("--exits %s --max-tokens 8", exits).assertRefused(1, "thresholds.json", "format");
  }

  /** As a version wrote it whose draft heads did not cover the text's tokens. */
  @Test
  void thresholdsOfHeadsThatCoveredLessAreRefused() throws IOException {
    Path file = temp.resolve("thresholds.json");
    CommandLineRun made = calibrate(sequences(), file, "--level 0.4 --json");
    Path drafted = temp.resolve("drafted");
    tiny.run("add-exits --at 1,2 --head backbone --draft-head 60 --out %s", drafted).succeeded();
    String sha = Sha256.of(drafted.resolve("exits.safetensors"));
    Path old = temp.resolve("old.json");
    Files.writeString(
        old, Files.readString(file).replace(made.json().getString("exits_sha256"), sha));
    generate(drafted, old, "")
        .assertRefused(1, "old.json", "text_tokens is 0", "is 512", "run calibrate again");
  }

  @Test
  void questionsAreAskedThroughTheChatTemplate() throws IOException {
    Path prompts = sequences();
    Path questions = temp.resolve("questions.jsonl");
    Files.writeString(questions, Files.readString(prompts).replace("\"prompt\"", "\"question\""));
    Path file = temp.resolve("thresholds.json");
    calibrate(questions, file, "--level 0.4").assertRefused(1, "has no chat template");
    Path template = tiny.model().resolve("chat_template.jinja");
    Files.writeString(template, "{% for m in messages %}{{ m.content }}{% endfor %}");
    try {
      Path asked = temp.resolve("asked.jsonl");
      Path continued = temp.resolve("continued.jsonl");
      calibrate(questions, file, "--level 0.4 --traces " + asked).succeeded();
      calibrate(prompts, file, "--level 0.4 --traces " + continued).succeeded();
      assertThat(traced(asked)).hasSize(30).isEqualTo(traced(continued));
    } finally {
      Files.delete(template);
    }
  }

  /** Traces without the names of their sequences. */
  private static List<String> traced(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .skip(1)
        .map(line -> line.replaceAll("\"sequence\": ?\"\\w+\"", ""))
        .toList();
  }

  @Test
  void sequencesThatPromiseNothingAreRefused() throws IOException {
    Path sequences = sequences();
    Path file = temp.resolve("thresholds.json");
    calibrate(sequences, file, "--level 0.05").assertRefused(1, "30 sequences", "at least 59");
    Files.writeString(sequences, "{\"prompt\": \"a b c d\"}\n{\"txt\": \"a\"}\n");
    calibrate(sequences, file, "").assertRefused(1, "held-out.jsonl line 2", "txt");
  }

  @Test
  void answersThatLeaveNoRoomForAPromptAreRefusedByName() throws IOException {
    String room = "--tokens 48 leaves no room for a prompt in the model's context of 48";
    Path file = temp.resolve("thresholds.json");
    tiny.run(
            "calibrate --exits %s --active all --data %s --window 32 --tokens 48 --out %s",
            tiny.exits(), sequences(), file)
        .assertRefused(1, room, "at most 47");
    assertThat(file).doesNotExist();
  }

  @Test
  void aLookaheadExitAloneHasNoThreshold() throws IOException {
    Path ahead = temp.resolve("ahead");
    tiny.run("add-exits --arch lookahead --out %s", ahead).succeeded();
    tiny.run(
            "calibrate --exits %s --active all --data %s --window 32 --tokens 8 --out %s",
            ahead, sequences(), temp.resolve("thresholds.json"))
        .assertRefused(1, ahead.toString(), "no exit at which a token could leave");
  }

  private static CommandLineRun generate(Path exits, Path thresholds, String more) {
    return tiny.generate("--exits %s --max-tokens 8 --thresholds %s " + more, exits, thresholds);
  }

  private static CommandLineRun calibrate(Path data, Path out, String more) {
    return tiny.run(
        "calibrate --exits %s --active all --data %s --window 32 --tokens 8 --out %s " + more,
        tiny.exits(),
        data,
        out);
  }
}
