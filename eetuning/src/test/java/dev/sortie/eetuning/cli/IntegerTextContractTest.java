package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.json.JsonObject;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model in blocks writes one text, on whatever kernel set these tests run. */
class IntegerTextContractTest {
  @TempDir private Path temp;

  @Test
  void theTextIsTheSameForEveryKernelSet() {
    Path blocks = temp.resolve("fable.gguf");
    CommandLineRun.line("convert fable --quantize q4_0 --out %s", blocks).succeeded();
    JsonObject written =
        CommandLineRun.line(
                "generate --json --max-tokens 40 --model %s --prompt %s",
                blocks, "Once upon a time")
            .json();
    assertThat(written.getString("arithmetic")).isEqualTo("integer");
    assertThat(written.getString("text"))
        .isEqualTo(
            ", there was a little boy named Adam. He was a little boy who loved to play. One day,"
                + " Adam's mom had a special toy that made him happy. She gave him a big hug");
  }
}
