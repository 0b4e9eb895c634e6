package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.assertFields;
import static dev.sortie.eetuning.cli.TinyCommands.exitsOf;
import static dev.sortie.eetuning.cli.TinyCommands.ids;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code generate}, at full depth and with early exits. */
class GenerateCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  private static CommandLineRun early(String line, Object... args) {
    return tiny.generate("--exits " + tiny.exits() + " " + line, args);
  }

  @Test
  void generateTracesEachToken() {
    JsonObject json = early("--active all --threshold 0 --max-tokens 6 --ignore-eos").json();
    assertFields(json, "prompt_ids", "tokens", "text", "timing");
    assertThat(json.getInts("prompt_ids", 0, 400)).isNotEmpty();
    List<JsonObject> tokens = json.getObjects("tokens");
    assertThat(tokens).hasSize(6);
    for (JsonObject token : tokens) {
      token.getInt("id", 0, 400);
      assertThat(token.getDouble("confidence", 0, 1)).isPositive();
    }
    // the prompt is always read at full depth, so the token after it is the final layer's
    assertThat(exitsOf(json)).containsExactly("final", 1L, 1L, 1L, 1L, 1L);
    assertThat(tokens.stream().map(t -> t.getString("text")).collect(Collectors.joining()))
        .isEqualTo(json.getString("text"));
    assertFields(json.getObject("timing"), "prefill_tokens_per_second", "decode_tokens_per_second");
  }

  @Test
  void generateAtThresholdOneIsGenerateAtFullDepth() {
    JsonObject never = early("--threshold 1 --max-tokens 8").json();
    JsonObject full = tiny.generate("--max-tokens 8").json();
    assertThat(ids(never)).isEqualTo(ids(full));
    assertThat(never.getString("text")).isEqualTo(full.getString("text"));
  }

  @Test
  void generateWithoutJsonShowsPromptAndText() {
    CommandLineRun run =
        tiny.run("generate --prompt %s --max-tokens 4 --ignore-eos", "The hen").succeeded();
    assertThat(run.out()).startsWith("The hen").endsWith(System.lineSeparator());
    assertThat(run.err()).contains("4 tokens").hasLineCount(1);
    assertThat(ids(tiny.generate("--max-tokens 4 --ignore-eos").json())).hasSize(4);
  }

  @Test
  void generateReadsAPromptFileAsItIs() throws IOException {
    Path file = Files.writeString(temp.resolve("prompt"), "The hen");
    JsonObject json = tiny.run("generate --prompt-file %s --max-tokens 5 --json", file).json();
    assertThat(ids(json)).isEqualTo(ids(tiny.generate("--max-tokens 5").json()));
  }

  @Test
  void exitsThatAreNotNamedAreAskedOnlyIfTheyCanPay() {
    CommandLineRun one = early("--active 2 --threshold 0 --max-tokens 4");
    assertThat(exitsOf(one.json())).containsExactly("final", 2L, 2L, 2L);
    CommandLineRun free = early("--threshold 0 --max-tokens 4");
    // a machine's times decide; what is not used is named with its figures
    List<Object> used = exitsOf(free.json());
    if (!used.contains(1L)) {
      assertThat(free.err()).contains("exit 1 is left out", "ms", "--active all");
    }
    if (!used.contains(1L) && !used.contains(2L)) {
      assertThat(free.err()).contains("exit 2 is left out");
    }
  }

  @Test
  void eachExitCanHaveAThresholdOfItsOwn() {
    CommandLineRun each = early("--threshold 1=1,2=0 --max-tokens 4");
    assertThat(exitsOf(each.json())).containsExactly("final", 2L, 2L, 2L);
    early("--threshold 2=0 --active 2 --max-tokens 4")
        .assertRefused(2, "--threshold 2=0", "active");
    early("--threshold 7=0 --max-tokens 4").assertRefused(1, "layer 7", "[1, 2]");
    early("--threshold 2=0,x --max-tokens 4").assertRefused(2, "--threshold", "'x'", "20=0.7");
    early("--threshold x --max-tokens 4").assertRefused(2, "--threshold 'x'", "neither a number");
  }
}
