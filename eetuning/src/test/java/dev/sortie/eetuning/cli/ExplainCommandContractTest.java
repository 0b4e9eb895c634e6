package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code explain}: what it prints, for people and as JSON. */
class ExplainCommandContractTest {
  private static final int WIDTH = 100;

  @TempDir private static Path shared;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private static CommandLineRun explain(String line) {
    return tiny.run("explain --prompt %s --exits %s " + line, "The hen", tiny.exits());
  }

  @Test
  void theTokenIsTheOneThatGenerateTraces() {
    JsonObject generated =
        tiny.generate("--exits %s --active all --threshold 0 --max-tokens 5", tiny.exits()).json();
    List<JsonObject> tokens = generated.getObjects("tokens");
    for (int number = 2; number <= 5; number++) {
      JsonObject json = explain("--threshold 0 --json --token " + number).json();
      JsonObject token = json.getObject("token");
      JsonObject traced = tokens.get(number - 1);
      assertThat(token.getInt("id", 0, 400)).isEqualTo(traced.getInt("id", 0, 400));
      assertThat(token.fields().get("exit")).isEqualTo(traced.fields().get("exit")).isEqualTo(1L);
      JsonObject exit = json.getObjects("exits").getFirst();
      assertThat(exit.getDouble("confidence", 0, 1))
          .isEqualTo(traced.getDouble("confidence", 0, 1));
      assertThat(exit.getString("asked")).isEqualTo("taken");
      assertThat(exit.getBoolean("leaves")).isTrue();
      assertThat(exit.getObjects("top")).hasSize(5);
    }
  }

  @Test
  void jsonHasEachLayerWithItsKernels() {
    JsonObject json = explain("--threshold 0 --token 3 --json").json();
    assertFields(
        json,
        "prompt_ids",
        "token",
        "reads",
        "embedding",
        "layers",
        "exits",
        "final",
        "deferred",
        "kernel_set",
        "arithmetic",
        "memory");
    List<JsonObject> layers = json.getObjects("layers");
    assertThat(layers.stream().map(l -> l.getInt("layer", 1, 9))).containsExactly(1, 2, 3);
    // with every token at the first exit, 15 left before one had to go deeper
    assertThat(layers.stream().map(l -> l.getInt("token", 1, 99))).containsExactly(3, 17, 17);
    assertThat(layers.stream().map(l -> l.getInt("rows", 1, 99))).containsExactly(1, 16, 16);
    JsonObject kernel = layers.getFirst().getObjects("kernels").get(1);
    assertThat(kernel.getString("kernel")).isEqualTo("linears");
    assertThat(kernel.getObjects("weights").getFirst().getString("type")).isEqualTo("F32");
    List<JsonObject> deferred = json.getObjects("deferred");
    assertThat(deferred).hasSize(1);
    assertThat(deferred.getFirst().getInt("first_layer", 1, 9)).isEqualTo(2);
    assertThat(deferred.getFirst().getInt("last_layer", 1, 9)).isEqualTo(3);
  }

  @Test
  void theSameIsExplainedTwiceButForTimes() {
    String times = "\"seconds\":[^,}]*";
    String available = "\"available_bytes\":[0-9]*";
    List<String> twice =
        IntStream.range(0, 2)
            .mapToObj(i -> explain("--threshold 0.02 --token 6 --json").succeeded().out())
            .map(out -> out.replaceAll(times, "").replaceAll(available, ""))
            .toList();
    assertThat(twice.get(0)).isEqualTo(twice.get(1));
  }

  @Test
  void theTableFitsATerminal() {
    for (String line :
        List.of("--token 1", "--threshold 0 --token 3", "--strategy full --token 2")) {
      CommandLineRun run = explain(line).succeeded();
      assertThat(run.out().lines()).as(line).allMatch(l -> l.length() <= WIDTH);
      assertThat(run.out()).contains("exit 1", "exit 2", "Kernels of layer 1");
    }
    assertThat(explain("--threshold 0 --token 3").out())
        .contains("was chosen by the exit after layer 1", "at least 0: left here")
        .contains("Layers 2 to 3 were computed later, with token 17, in a pass over 16 tokens.");
    assertThat(explain("--token 1").out())
        .contains("The layers below read the last token of the prompt, ")
        .contains("no exit is evaluated for the token after it");
    assertThat(tiny.run("explain --prompt %s --token 2", "The hen").succeeded().out())
        .contains("No layer was left for later.")
        .doesNotContain("exit");
  }

  @Test
  void wrongInputIsRefusedInALine() {
    explain("--token 0").assertRefused(2, "--token 0", "at least 1");
    explain("--token 60").assertRefused(1, "token 60", "context is 48");
    explain("--strategy speculative").assertRefused(2, "--strategy speculative", "without drafts");
    explain("--draft prompt-lookup").assertRefused(2, "--draft prompt-lookup", "without drafts");
    explain("--active 7").assertRefused(1, "layer 7", "[1, 2]");
    explain("--threshold 2").assertRefused(2, "--threshold 2", "outside 0 to 1");
    tiny.run("explain --token 2").assertRefused(2, "--prompt");
    tiny.run("explain --prompt x --token two").assertRefused(2, "--token", "two");
  }
}
