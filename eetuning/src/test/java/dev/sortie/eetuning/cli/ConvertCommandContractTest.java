package dev.sortie.eetuning.cli;

import static dev.sortie.eetuning.cli.TinyCommands.heads;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code convert}. */
class ConvertCommandContractTest {
  @TempDir private static Path shared;
  @TempDir private Path temp;

  private static TinyCommands tiny;

  @BeforeAll
  static void makeModel() throws IOException {
    tiny = TinyCommands.in(shared);
  }

  @Test
  void aConvertedModelIsTheSameModelToEveryCommand() {
    Path gguf = temp.resolve("model.gguf");
    Path back = temp.resolve("back");
    CommandLineRun.line("convert %s --threads 1 --out %s", tiny.model(), gguf).succeeded();
    CommandLineRun.line("convert %s --threads 1 --out %s --to safetensors", gguf, back).succeeded();
    String expected = generated(tiny.model());
    assertThat(generated(gguf)).isEqualTo(expected);
    assertThat(generated(back)).isEqualTo(expected);
    TinyCommands converted = new TinyCommands(gguf, temp.resolve("exits"), tiny.data());
    converted.run("add-exits --at 1 --out %s", converted.exits()).succeeded();
    Path tuned = temp.resolve("tuned");
    converted.tune(converted.exits(), tuned, "--dtype file").succeeded();
    CommandLineRun score = converted.run("score --exits %s --file %s --json", tuned, tiny.data());
    assertThat(heads(score.json())).hasSize(2);
  }

  private static String generated(Path model) {
    return new TinyCommands(model, tiny.exits(), tiny.data())
        .generate("--temperature 0 --max-tokens 8")
        .json()
        .getString("text");
  }
}
