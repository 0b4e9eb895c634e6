package dev.sortie.nn.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-kernels")
class GenerationConfigContractTest {
  @TempDir private Path folder;

  private void write(String json) throws IOException {
    Files.writeString(folder.resolve("generation_config.json"), json);
  }

  @Test
  void endsAreOneIdOrSeveralOrNone() throws IOException {
    assertThat(GenerationConfig.eos(folder, 10)).isEmpty();
    assertThat(GenerationConfig.eos(folder.resolve("model.gguf"), 10)).isEmpty();
    write("{}");
    assertThat(GenerationConfig.eos(folder, 10)).isEmpty();
    write("{\"eos_token_id\": null}");
    assertThat(GenerationConfig.eos(folder, 10)).isEmpty();
    write("{\"eos_token_id\": 9}");
    assertThat(GenerationConfig.eos(folder, 10)).containsExactly(9);
    write("{\"eos_token_id\": [1, 0], \"temperature\": 0.6}");
    assertThat(GenerationConfig.eos(folder, 10)).containsExactly(1, 0);
  }

  @Test
  void endsOutsideTheVocabularyAreRefused() throws IOException {
    for (String wrong : new String[] {"10", "-1", "[1, 10]", "\"</s>\"", "1.5"}) {
      write("{\"eos_token_id\": " + wrong + "}");
      assertThatThrownBy(() -> GenerationConfig.eos(folder, 10))
          .isInstanceOf(InputException.class)
          .hasMessageContainingAll("generation_config.json", "eos_token_id", "0 to 9");
    }
  }
}
