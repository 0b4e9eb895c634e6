package dev.sortie.nn.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Span;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that others wrote is read; its second copy in GGUF is the oracle for the values. */
@Tag("any-kernels")
class StoriesModelParityTest {
  @TempDir Path folder;

  @Test
  void configurationIsRead() {
    HfConfig config = HfConfig.read(FormatFixtures.shared("models/stories260K"));
    assertThat(config.decoder())
        .isEqualTo(
            new DecoderConfig(
                5, 64, 8, 4, 8, 172, 512, 512, 1e-5, 10000, false, false, false, true));
    assertThat(config.bos()).isEqualTo(OptionalInt.of(1));
    assertThat(config.eos()).containsExactly(2);
    assertThat(config.dtype()).contains(DType.F32);
  }

  @Test
  void weightsAreThoseOfTheGgufCopy() throws IOException {
    Path model = FormatFixtures.shared("models/stories260K");
    byte[] bytes = Files.readAllBytes(model.resolve("stories260K-f32.gguf"));
    String gguf = new String(bytes, StandardCharsets.ISO_8859_1);
    try (Safetensors source = Safetensors.open(model)) {
      long parameters = source.tensors().values().stream().mapToLong(TensorInfo::elements).sum();
      assertThat(parameters).isEqualTo(260_032);
      assertThat(source.read("model.embed_tokens.weight", 512, 64).length()).isEqualTo(512 * 64);
      // Query and key rows are permuted in GGUF; these tensors are stored alike.
      List<String> alike =
          List.of(
              "model.embed_tokens.weight",
              "model.norm.weight",
              "model.layers.4.mlp.down_proj.weight");
      for (String name : alike) {
        Span span = source.read(name);
        byte[] data = span.segment().toArray(ValueLayout.JAVA_BYTE);
        assertThat(gguf.contains(new String(data, StandardCharsets.ISO_8859_1))).as(name).isTrue();
      }
    }
  }

  @Test
  void aCopyHasTheSameTensors() {
    Path model = FormatFixtures.shared("models/stories260K");
    Path copy = folder.resolve("model.safetensors");
    try (Safetensors source = Safetensors.open(model)) {
      SafetensorsWriter writer = new SafetensorsWriter();
      source.metadata().forEach(writer::metadata);
      source
          .tensors()
          .forEach((name, info) -> writer.tensor(name, source.read(name), info.shape()));
      writer.write(copy);
      try (Safetensors back = Safetensors.open(copy)) {
        assertThat(back.metadata()).isEqualTo(source.metadata());
        assertThat(back.tensors().keySet()).containsExactlyElementsOf(source.tensors().keySet());
        source
            .tensors()
            .keySet()
            .forEach(
                name ->
                    assertThat(back.read(name).segment().mismatch(source.read(name).segment()))
                        .isEqualTo(-1));
      }
    }
  }
}
