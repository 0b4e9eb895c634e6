package dev.sortie.benchmarks.compare;

import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.load.ModelWriter;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Model folders with random weights: speed does not depend on what a model knows. */
final class RandomModel {
  private static final int BYTES = 256; // a tokenizer of bytes alone, and the two special tokens

  private RandomModel() {}

  /** Writes a model into {@code folder}, which exists. */
  static void write(Path folder, DecoderConfig config, Device device) {
    try (NativeArena arena = new NativeArena("random model")) {
      RandomWeights weights = new RandomWeights(new Random(1, 0), 0.02, config.layers(), arena);
      Decoder decoder = new Decoder(config, arena, weights);
      ModelWriter.write(folder, decoder, DType.F32, device.kernels());
    }
    HfConfigWriter.write(
        folder.resolve("config.json"),
        new HfConfig(config, OptionalInt.of(0), List.of(1), Optional.of(DType.F32)));
    TokenizerJsonWriter.write(
        new BpeTrainer(new BpeTrainer.Options(BYTES + 2, List.of("<s>", "</s>"), false, 1))
            .add("")
            .train(),
        folder.resolve("tokenizer.json"));
  }
}
