package dev.sortie.eetuning.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.eetuning.Altered;
import dev.sortie.eetuning.TinyModel;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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

  @Test
  void aWeightThatIsNotFiniteIsRefusedWhenItIsUsedInPlace() throws IOException {
    Altered.nan(model.resolve("model.safetensors"), "model.layers.1.mlp.up_proj.weight", 5);
    String[] more = {"--threads", "1", "--model", model.toString(), "--dtype", "file"};
    Path text = Files.writeString(temp.resolve("text"), TinyModel.TEXT);
    run(more, "generate", "--json", "--max-tokens", "4", "--prompt", "the hen")
        .assertRefused(1, "logits are not finite", "f32");
    run(more, "score", "--file", text.toString()).assertRefused(1, "a loss is NaN", "--dtype f32");
  }

  private static CommandLineRun run(String[] model, String... words) {
    String[] all = Arrays.copyOf(words, words.length + model.length);
    System.arraycopy(model, 0, all, words.length, model.length);
    return CommandLineRun.of(all);
  }
}
