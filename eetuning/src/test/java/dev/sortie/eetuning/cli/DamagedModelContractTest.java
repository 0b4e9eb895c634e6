package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Damage that shows only when the weights are used, since they are not copied. */
class DamagedModelContractTest {
  private static final String TEMPLATE =
      "{% for m in messages %}{{ m.content }} {% endfor %}{% if add_generation_prompt %}a:{% endif %}";

  @TempDir private Path temp;

  private Path model;

  @BeforeEach
  void makeModel() throws IOException {
    model = TinyModel.write(temp.resolve("model"), 1);
    Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
  }

  @Test
  void aFileThatIsCutShortInUseIsOneLine() throws IOException, InterruptedException {
    try (CommandLineProcess chat =
        new CommandLineProcess(
            Map.of(),
            "chat",
            "--model",
            model.toString(),
            "--dtype",
            "file",
            "--max-tokens",
            "3",
            "--threads",
            "2",
            "--json")) {
      chat.say("the hen");
      assertThat(chat.hear()).contains("\"assistant\"");
      try (FileChannel file =
          FileChannel.open(model.resolve("model.safetensors"), StandardOpenOption.WRITE)) {
        file.truncate(0);
      }
      chat.say("the fox");
      chat.end().assertRefused(1, "mapped into memory was cut short", "start again");
    }
  }

  /** Each of these reads logits in a way of its own. */
  @TestFactory
  Stream<DynamicTest> aWeightThatIsNotFiniteIsRefusedWhenItIsUsedInPlace() {
    return Stream.of(Double.NaN, Double.POSITIVE_INFINITY)
        .flatMap(
            bad ->
                Stream.of(
                        "generate --json --max-tokens 8 --prompt hen",
                        "generate --max-tokens 8 --prompt hen --temperature 1",
                        "generate --max-tokens 8 --prompt hen --strategy speculative",
                        "generate --json --max-tokens 8 --prompt hen --strategy speculative",
                        "generate --max-tokens 8 --prompt hen --strategy speculative --temperature 1",
                        "generate --max-tokens 8 --prompt hen --strategy early-exit --threshold 0.9 --exits EXITS",
                        "generate --max-tokens 8 --prompt hen --strategy speculative --draft early-exit --exits EXITS",
                        "score --file TEXT",
                        "score --json --exits EXITS --file TEXT",
                        "calibrate --json --exits EXITS --data TEXT --window 16 --out OUT/thresholds.json",
                        "eval --text TEXT --out OUT")
                    .map(
                        line ->
                            DynamicTest.dynamicTest(
                                bad + " " + line, () -> assertNotFiniteIsNamed(line, bad))));
  }

  private void assertNotFiniteIsNamed(String line, double bad) throws IOException {
    Path text = Files.writeString(temp.resolve("text"), TinyModel.TEXT.repeat(20));
    Path exits = Files.createTempDirectory(temp, "exits");
    Path out = Files.createTempDirectory(temp, "out");
    Path damaged = Altered.copy(model, temp.resolve("damaged-" + out.getFileName()));
    Altered.set(damaged.resolve("model.safetensors"), "model.layers.1.mlp.up_proj.weight", 5, bad);
    run("add-exits --at 1,2 --arch norm --dtype file --out " + exits, damaged).succeeded();
    CommandLineRun run =
        run(
            line.replace("EXITS", exits.toString())
                    .replace("TEXT", text.toString())
                    .replace("OUT", out.toString())
                + " --dtype file",
            damaged);
    assertThat(run.err().lines().filter(l -> l.startsWith("sortie: ")))
        .as(run.err())
        .hasSize(1)
        .allMatch(l -> l.contains("logits are not finite") && l.contains("--dtype f32"));
    assertThat(run.err()).doesNotContain("Exception", "\tat ");
    assertThat(run.code()).isEqualTo(1);
    assertThat(Altered.files(out)).doesNotContain("thresholds.json", "results.json");
  }

  private static CommandLineRun run(String line, Path model) {
    String[] words = (line + " --threads 1 --model " + model).split(" ");
    return CommandLineRun.of(words);
  }
}
