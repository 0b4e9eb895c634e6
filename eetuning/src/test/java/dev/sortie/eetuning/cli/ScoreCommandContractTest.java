package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static dev.sortie.eetuning.cli.TinyCommands.heads;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.nn.json.Json;
import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code score}. */
class ScoreCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @Test
  void scoreHasAHeadForEachExitAndTheFinalLayer() throws IOException {
    Path text = Files.writeString(temp.resolve("text"), TinyModel.TEXT + "é");
    JsonObject json = tiny.run("score --exits %s --file %s --json", tiny.exits(), text).json();
    assertFields(json, "tokens", "bytes", "heads");
    int bytes = (TinyModel.TEXT + "é").getBytes(StandardCharsets.UTF_8).length;
    assertThat(json.getInt("bytes", 0, 1 << 20)).isEqualTo(bytes);
    int tokens = json.getInt("tokens", 1, 1 << 20);
    assertThat(heads(json)).containsExactly(1L, 2L, "final");
    for (JsonObject head : json.getObjects("heads")) {
      double nll = head.getDouble("nll", 0, 100);
      assertThat(head.getDouble("perplexity", 1, 1e40) / Math.exp(nll))
          .isBetween(1 - 1e-9, 1 + 1e-9);
      assertThat(head.getDouble("bits_per_byte", 0, 100) * bytes * Math.log(2) / (nll * tokens))
          .isBetween(1 - 1e-9, 1 + 1e-9);
      assertThat(head.getDouble("agreement", 0, 1)).isNotNaN();
    }
    assertThat(json.getObjects("heads").getLast().getDouble("agreement", 0, 1)).isEqualTo(1);
  }

  @Test
  void scoreSaysHowFarItIs() {
    CommandLineRun run = tiny.run("score --file %s --json", tiny.data()).succeeded();
    assertThat(run.err()).containsPattern("score (\\d+)/\\1 \\(100%\\), took 0:0");
  }

  @Test
  void scoreWithoutExitsHasTheFinalLayerAlone() {
    assertThat(heads(tiny.run("score --file %s --json", tiny.data()).json()))
        .containsExactly("final");
  }

  @Test
  void documentsOfLinesCountByTheirTokens() throws IOException {
    String first = "The fox ran into the wood.";
    String second = "Once upon a time there was a king who had three sons.";
    Path lines =
        Files.writeString(
            temp.resolve("texts.jsonl"),
            Json.compact(Json.object("text", first, "id", 1))
                + "\n"
                + Json.compact(Json.object("text", second))
                + "\n");
    JsonObject both = tiny.run("score --file %s --json", lines).json();
    double nll = 0;
    int tokens = 0;
    for (String text : List.of(first, second)) {
      JsonObject one =
          tiny.run("score --file %s --json", Files.writeString(temp.resolve("one"), text)).json();
      int n = one.getInt("tokens", 1, 1000);
      tokens += n;
      nll += n * one.getObjects("heads").getFirst().getDouble("nll", 0, 100);
    }
    assertThat(both.getInt("tokens", 1, 1000)).isEqualTo(tokens);
    assertThat(both.getInt("bytes", 1, 1000)).isEqualTo(first.length() + second.length());
    assertThat(both.getObjects("heads").getFirst().getDouble("nll", 0, 100))
        .isBetween(nll / tokens - 1e-6, nll / tokens + 1e-6);

    JsonObject evaluated =
        tiny.run(
                "eval --exits %s --text %s --oracle --json --out %s",
                tiny.exits(), lines, temp.resolve("report"))
            .json();
    JsonObject text = evaluated.getObject("text");
    assertThat(text.getInt("tokens", 1, 1000)).isEqualTo(tokens);
    assertThat(text.getObjects("heads").getLast().fields())
        .isEqualTo(both.getObjects("heads").getFirst().fields());
    assertThat(
            evaluated.getObject("oracle").getObjects("parts").getFirst().getInt("tokens", 1, 1000))
        .as("the first 8 tokens of each document are not predicted, where 1 is not scored")
        .isEqualTo(tokens - 2 * 7);
  }

  /** Untuned draft heads have the lowest ids: none of a word, and it is too short to look ahead. */
  @Test
  void whatATextHasNoTokenForIsNull() throws IOException {
    Path exits = temp.resolve("exits");
    tiny.run("add-exits --at 1 --draft-head 20 --out %s", exits).succeeded();
    Path ahead = temp.resolve("ahead");
    tiny.run("add-exits --arch lookahead --out %s", ahead).succeeded();
    Path all = temp.resolve("all");
    tiny.run("merge-exits --out %s %s %s", all, exits, ahead).succeeded();
    Path text = Files.writeString(temp.resolve("text"), "zz");

    JsonObject json = tiny.run("score --exits %s --file %s --json", all, text).json();
    assertThat(json.getInt("tokens", 1, 1)).isEqualTo(1);
    assertThat(heads(json)).containsExactly(1L, "final", "lookahead");
    assertThat(json.getObjects("heads").getFirst().fields())
        .containsEntry("nll", null)
        .containsEntry("perplexity", null)
        .containsEntry("bits_per_byte", null)
        .containsEntry("coverage", 0.0);
    assertThat(json.getObjects("heads").getLast().fields().values())
        .containsExactly("lookahead", null, null, null, null, null);
    assertThat(tiny.run("score --exits %s --file %s", all, text).succeeded().out().lines())
        .anyMatch(line -> line.matches(" +1 +- +- +- +[01]\\.0000 +0\\.0000"))
        .anyMatch(line -> line.matches("lookahead( +-){5}"));

    Path out = temp.resolve("report");
    tiny.run("eval --exits %s --text %s --out %s", all, text, out).succeeded();
    assertThat(Json.read(out.resolve("results.json")).getObject("text").getObjects("heads"))
        .extracting(head -> head.fields().get("nll") == null)
        .containsExactly(true, false, true);
  }

  @Test
  void aLineWithoutTextIsNamed() throws IOException {
    Path lines = Files.writeString(temp.resolve("texts.jsonl"), "{\"text\":\"a b\"}\n{\"q\":1}\n");
    tiny.run("score --file %s", lines).assertRefused(1, "line 2", "text");
    Files.writeString(lines, "{\"text\":\"a b\"}\n{\"text\":\"a\\ud800\"}\n");
    tiny.run("score --file %s", lines).assertRefused(1, "line 2", "unpaired surrogate");
  }
}
