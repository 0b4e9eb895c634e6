package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.TinyModel;
import dev.sortie.eetuning.display.SafeText;
import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate --strategy speculative}. */
class SpeculativeCommandContractTest {
  @TempDir private static Path folder;

  private static Path model;
  private static Path exits;

  @BeforeAll
  static void makeModel() {
    model = TinyModel.write(folder.resolve("model"), 1);
    exits = folder.resolve("exits");
    run("add-exits", "--threads", 1, "--model", model, "--at", "1,2", "--out", exits).succeeded();
  }

  private static CommandLineRun run(String command, Object... args) {
    Stream<String> rest = Arrays.stream(args).map(Object::toString);
    return CommandLineRun.of(Stream.concat(Stream.of(command), rest).toArray(String[]::new));
  }

  private static CommandLineRun generate(String temperature, Object... more) {
    Object[] first = {
      "--threads",
      1,
      "--model",
      model,
      "--prompt",
      "The fox ran",
      "--temperature",
      temperature,
      "--max-tokens",
      30,
      "--ignore-eos"
    };
    return run("generate", Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray());
  }

  @Test
  void theTextIsThatOfFullDepthAndEachTokenSaysWhoDraftedIt() {
    for (String temperature : List.of("0", "0.7")) {
      JsonObject full = generate(temperature, "--json").json();
      assertThat(full.has("speculation")).isFalse();
      for (String draft : List.of("prompt-lookup", "early-exit", "early-exit,prompt-lookup")) {
        JsonObject json = speculative(temperature, draft);
        assertThat(json.getString("text")).isEqualTo(full.getString("text"));
        assertThat(decided(json)).isEqualTo(decided(full));
        JsonObject speculation = json.getObject("speculation");
        assertThat(speculation.getInt("passes", 1, 29)).isPositive();
        assertThat(speculation.getInt("rows", 29, 500)).isPositive();
        assertThat(speculation.getObject("sources").fields().keySet())
            .containsExactly(draft.split(","));
        assertThat(json.getObjects("tokens").stream().map(t -> t.getString("source")).distinct())
            .contains("model")
            .allMatch(source -> source.equals("model") || source.startsWith("draft:"));
      }
    }
  }

  @Test
  void whoDraftsFollowsFromWhatTheFolderHas() {
    Path ahead = folder.resolve("ahead");
    run("add-exits", "--threads", 1, "--model", model, "--arch", "lookahead", "--out", ahead)
        .succeeded();
    String text = generate("0", "--json").json().getString("text");
    assertThat(sources(text, "--exits", ahead)).containsExactly("prompt-lookup", "lookahead");
    assertThat(sources(text, "--exits", exits)).containsExactly("prompt-lookup", "early-exit");
    assertThat(sources(text)).containsExactly("prompt-lookup");
    CommandLineRun refused =
        generate("0", "--strategy", "speculative", "--exits", ahead, "--draft", "early-exit");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("--draft early-exit", "take lookahead");
  }

  @Test
  void aLookaheadExitMayReadSeveralLayers() {
    Path joined = folder.resolve("joined");
    Object[] add = {"--threads", 1, "--model", model, "--json", "--out"};
    JsonObject written =
        run("add-exits", with(add, joined, "--arch", "lookahead", "--features", "1,2")).json();
    JsonObject exit = written.getObjects("exits").getFirst();
    assertThat(exit.getInts("features", 1, 9)).containsExactly(1, 2);
    Path none = folder.resolve("none");
    String text = generate("0", "--json").json().getString("text");
    assertThat(sources(text, "--exits", joined)).containsExactly("prompt-lookup", "lookahead");
    run("add-exits", with(add, none, "--arch", "lookahead", "--features", "2,1"))
        .assertRefused(1, "layers [2, 1]", "deeper than the one before");
    run("add-exits", with(add, none, "--arch", "norm", "--at", 1, "--features", 1))
        .assertRefused(2, "--features [1]", "--arch lookahead");
  }

  @Test
  void draftsWithEarlyExitsChangeNoTextAndMayBeLeftOut() {
    Object[] early = {"--json", "--exits", exits, "--threshold", 0.02, "--draft"};
    for (String temperature : List.of("0", "0.7")) {
      JsonObject alone = generate(temperature, with(early, "none")).json();
      assertThat(alone.has("speculation")).isFalse();
      JsonObject drafted = generate(temperature, with(early, "prompt-lookup")).json();
      assertThat(decided(drafted)).isEqualTo(decided(alone));
      assertThat(drafted.getObject("speculation").getObject("sources").fields().keySet())
          .containsExactly("prompt-lookup");
    }
    generate("0", with(early, "lookahead"))
        .assertRefused(
            2, "--draft lookahead", "accepts prompt-lookup, prompt-lookup,ngrams or none");
    generate("0", "--draft", "none", "--strategy", "full")
        .assertRefused(2, "--draft goes with --strategy speculative or early-exit");
  }

  /** An exit with a draft head brings one after the last layer along. */
  @Test
  void tokensThatLeaveBehindTheLastLayerAreWritten() {
    Path drafted = folder.resolve("drafted");
    run(
            "add-exits",
            "--model",
            model,
            "--at",
            "1",
            "--head",
            "backbone",
            "--draft-head",
            60,
            "--out",
            drafted)
        .succeeded();
    Object[] early = {"--exits", drafted, "--threshold", "3=0"};
    JsonObject json = generate("0", with(early, "--json")).json();
    assertThat(json.getObjects("tokens").stream().skip(1))
        .allMatch(t -> t.fields().get("exit").toString().equals("3"));
    CommandLineRun shown = generate("0", early);
    assertThat(shown.succeeded().out()).contains(SafeText.visible(json.getString("text")));
  }

  private static Object[] with(Object[] first, Object... more) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray();
  }

  private static Iterable<String> sources(String text, Object... more) {
    Object[] first = {"--json", "--strategy", "speculative"};
    JsonObject json = generate("0", with(first, more)).json();
    assertThat(json.getString("text")).isEqualTo(text);
    return json.getObject("speculation").getObject("sources").fields().keySet();
  }

  private static JsonObject speculative(String temperature, String draft) {
    return generate(
            temperature,
            "--json",
            "--strategy",
            "speculative",
            "--draft",
            draft,
            "--exits",
            exits,
            "--threshold",
            0)
        .json();
  }

  /** Ids, exits and confidences. */
  private static List<List<Object>> decided(JsonObject generated) {
    return generated.getObjects("tokens").stream()
        .map(JsonObject::fields)
        .map(t -> List.<Object>of(t.get("id"), t.get("exit"), t.get("confidence")))
        .toList();
  }

  @Test
  void withoutJsonTheDraftsAreCountedOnStandardError() {
    CommandLineRun run = generate("0", "--strategy", "speculative").succeeded();
    assertThat(run.out()).isEqualTo(generate("0").succeeded().out());
    assertThat(run.err()).contains(" passes; prompt-lookup: ").contains("draft tokens accepted");
  }
}
