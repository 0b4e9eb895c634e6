package dev.sortie.tests;

import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.load.ModelWriter;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.dtype.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A model folder with random weights and a small tokenizer, written as users' models are. */
final class TinyModel {
  /** Wide enough that its matrix products are shared among threads. */
  static final DecoderConfig CONFIG =
      new DecoderConfig(4, 64, 4, 2, 16, 128, 320, 32, 1e-5, 10000, false, false, false, false);

  private TinyModel() {}

  /** Writes the model into {@code folder}, which is created. */
  static void write(Path folder, Bench bench) throws IOException {
    Files.createDirectories(folder);
    Decoder decoder =
        new Decoder(
            CONFIG,
            bench.arena(),
            new RandomWeights(new Random(11, 0), 0.2, CONFIG.layers(), bench.arena()));
    HfConfig config = new HfConfig(CONFIG, OptionalInt.of(0), List.of(1), Optional.of(DType.F32));
    HfConfigWriter.write(folder.resolve("config.json"), config);
    ModelWriter.write(folder, decoder, DType.F32, bench.kernels());
    BpeTrainer trainer =
        new BpeTrainer(new BpeTrainer.Options(CONFIG.vocab(), List.of("<s>", "</s>"), false, 1));
    TokenizerJsonWriter.write(
        trainer.add("the fox and the crow and the cheese").train(),
        folder.resolve("tokenizer.json"));
  }
}
