package dev.sortie.nn.load;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

class MiniatureContractTest {
  private static final DecoderConfig CONFIG =
      new DecoderConfig(6, 1024, 16, 4, 64, 2048, 5000, 2048, 1e-5, 1e4, false, false, false, true);

  @Test
  void itHasALayerOfEachKindInTheTypesOfTheFile() {
    SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
    put(tensors, "model.embed_tokens.weight", DType.Q8_0, 5000, 1024);
    for (int i = 0; i < CONFIG.layers(); i++) {
      String layer = "model.layers." + i + ".";
      put(tensors, layer + "self_attn.q_proj.weight", DType.Q4_0, 1024, 1024);
      put(
          tensors,
          layer + "mlp.down_proj.weight",
          i % 3 == 2 ? DType.Q6_K : DType.Q4_K,
          1024,
          2048);
    }
    try (NativeArena arena = new NativeArena("test")) {
      Decoder small = Miniature.of(CONFIG, new Named(tensors), Precision.FILE, arena);
      assertThat(small.config().layers()).as("two kinds and one more").isEqualTo(3);
      assertThat(small.config().headSize()).isEqualTo(64);
      assertThat(small.config().heads() / small.config().kvHeads()).isEqualTo(4);
      assertThat(type(small, "model.embed_tokens.weight")).isEqualTo(DType.Q8_0);
      assertThat(type(small, "model.layers.0.self_attn.q_proj.weight")).isEqualTo(DType.Q4_0);
      assertThat(type(small, "model.layers.0.mlp.down_proj.weight")).isEqualTo(DType.Q4_K);
      assertThat(type(small, "model.layers.1.mlp.down_proj.weight")).isEqualTo(DType.Q6_K);
      assertThat(type(small, "model.layers.2.mlp.down_proj.weight")).isEqualTo(DType.Q4_K);
      assertThat(small.parameterCount()).isLessThan(3_000_000);
    }
    try (NativeArena arena = new NativeArena("test")) {
      Decoder small = Miniature.of(CONFIG, new Named(tensors), Precision.BF16, arena);
      assertThat(type(small, "model.layers.1.mlp.down_proj.weight")).isEqualTo(DType.BF16);
      assertThat(small.config().hidden()).isEqualTo(Miniature.SIZE);
    }
  }

  @Test
  void itsBasesHaveTheTypesOfTheFile() {
    SharedBases bases =
        new SharedBases(new LinkedHashMap<>(Map.of("mlp.up_proj", new SharedBases.Shared(4, 900))));
    SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
    for (int i = 0; i < CONFIG.layers(); i++) {
      put(tensors, "model.layers." + i + ".mlp.up_proj.coefficients.weight", DType.F16, 2048, 900);
    }
    put(tensors, "model.bases.0-3.mlp.up_proj.weight", DType.BF16, 900, 1024);
    put(tensors, "model.bases.4-5.mlp.up_proj.weight", DType.BF16, 900, 1024);
    try (NativeArena arena = new NativeArena("test")) {
      Decoder small =
          Miniature.of(CONFIG.withBases(bases), new Named(tensors), Precision.FILE, arena);
      assertThat(small.config().layers()).isEqualTo(2);
      assertThat(type(small, "model.bases.0-1.mlp.up_proj.weight")).isEqualTo(DType.BF16);
      assertThat(type(small, "model.layers.1.mlp.up_proj.coefficients.weight"))
          .isEqualTo(DType.F16);
    }
  }

  private static DType type(Decoder decoder, String name) {
    Tensor t = decoder.parameters().get(name);
    return t.dtype();
  }

  private static void put(
      SequencedMap<String, TensorInfo> tensors, String name, DType type, long rows, long columns) {
    tensors.put(name, new TensorInfo(name, type, List.of(rows, columns), Path.of("model.gguf"), 0));
  }

  /** Names and types alone: a miniature reads no weight. */
  private record Named(SequencedMap<String, TensorInfo> tensors) implements WeightSource {
    @Override
    public Path origin() {
      return Path.of("model.gguf");
    }

    @Override
    public Span read(String name) {
      throw new AssertionError("read " + name);
    }

    @Override
    public void close() {}
  }
}
