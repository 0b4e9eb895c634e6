package dev.sortie.nn.load;

import static dev.sortie.nn.format.FormatFixtures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.format.TinyGguf;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is said before loading is what loading takes. */
class ModelMemoryContractTest {
  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource
  void theBytesSaidAreTheBytesTaken(Precision precision) {
    TinyGguf tiny = new TinyGguf();
    tiny.dtype = DType.Q8_0;
    Path file = tiny.write(temp.resolve("tiny.gguf"));
    try (Device device = Device.cpu(1);
        ModelFiles files = ModelFiles.open(file);
        LanguageModel model = LanguageModel.load(file, precision, device)) {
      ModelMemory memory = ModelMemory.of(files, precision);
      assertThat(model.bytes()).isEqualTo(memory.copied() + memory.tables());
      long matrices = (264 + 32 + 16 + 16 + 4 * 32) * 32L;
      assertThat(memory.inPlace())
          .isEqualTo(precision == Precision.FILE ? matrices / 32 * 34 + 3 * 32 * 4 : 0);
      assertThat(memory.kvPerToken()).isEqualTo(2 * 16 * 4);
      assertThat(memory.resident()).isEqualTo(memory.copied() + memory.inPlace() + memory.tables());
      assertThat(memory.describe()).startsWith("takes ").contains("KV cache 0.1 KiB per token");
    }
  }

  @Test
  void aModelThatCannotFitIsRefusedWithTheNumbers() {
    TinyGguf tiny = new TinyGguf();
    tiny.dtype = DType.Q8_0;
    Path file = tiny.write(temp.resolve("tiny.gguf"));
    try (ModelFiles files = ModelFiles.open(file)) {
      ModelMemory memory = ModelMemory.of(files, Precision.F32);
      assertRefused(
          () -> memory.require(files, Precision.F32, available(10_000)),
          List.of(
              "tiny.gguf",
              "mostly q8_0 in the file, take 57.4 KiB as f32, and its rotary tables 4.0 KiB",
              "9.8 KiB are available (a test)",
              "--dtype file"));
      assertRefused(
          () -> memory.require(files, Precision.F32, available(100)),
          List.of("0.1 KiB are available", "smaller model"));
      memory.require(files, Precision.F32, available(memory.copied() + memory.tables()));
    }
  }

  private static AvailableMemory available(long bytes) {
    return new AvailableMemory(bytes, "a test");
  }
}
