package dev.sortie.eetuning.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a model is called in results. */
@Tag("any-kernels")
class ModelNameContractTest {
  @Test
  void theEmbeddedModelIsFableAndOthersAreCalledAsTheirFiles() {
    assertThat(ModelName.of(ModelName.path("fable"))).isEqualTo("fable");
    assertThat(ModelName.of(Path.of("models/SmolLM2-135M"))).isEqualTo("SmolLM2-135M");
    assertThat(ModelName.of(Path.of("models/SmolLM2.Q4_1.gguf"))).isEqualTo("SmolLM2.Q4_1");
    assertThat(ModelName.of(Path.of("models/fable-large"))).isEqualTo("fable-large");
    assertThat(ModelName.of(Path.of("models/fable-0a1b2c3d"))).isEqualTo("fable-0a1b2c3d");
    assertThat(ModelName.of(ModelName.path("fable").resolveSibling("fable-my")))
        .isEqualTo("fable-my");
  }
}
