package dev.sortie.eetuning;

import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.load.ModelWriter;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.RandomWeights;
import dev.sortie.nn.text.BpeTrainer;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.tensor.Random;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A model folder of a few hundred kilobytes with random weights, made in a moment. */
public final class TinyModel {
  /** Text of the kind that its tokenizer was trained on. */
  public static final String TEXT =
      "The fox ran over the hill and the hen sat under the tree. \"Where is the fox?\" said the"
          + " hen. The tree said nothing, and the hill said nothing, and the hen sang a song of the"
          + " fox. ";

  /** Longest sequence. */
  public static final int CONTEXT = 48;

  private static final String END = "<|endoftext|>";

  private TinyModel() {}

  /** Three layers of width 16. */
  public static Path write(Path folder, long seed) {
    return write(folder, 3, 16, 290, seed);
  }

  /** A model of these sizes; the same arguments give the same bytes. */
  public static Path write(Path folder, int layers, int hidden, int vocab, long seed) {
    return write(folder, layers, hidden, vocab, CONTEXT, seed);
  }

  /** A model of these sizes for texts of up to {@code context} tokens. */
  public static Path write(Path folder, int layers, int hidden, int vocab, int context, long seed) {
    createFolder(folder);
    SubwordTokenizer trained =
        new BpeTrainer(new BpeTrainer.Options(vocab, List.of(END), false, 2))
            .add(TEXT.repeat(4))
            .train();
    int end = trained.id(END).orElseThrow();
    TokenizerJsonWriter.write(
        trained.withSpecials(OptionalInt.empty(), OptionalInt.of(end)),
        folder.resolve("tokenizer.json"));
    DecoderConfig config =
        new DecoderConfig(
            layers,
            hidden,
            4,
            2,
            hidden / 4,
            2 * hidden,
            trained.vocabSize(),
            context,
            1e-5,
            10000,
            false,
            false,
            false,
            true);
    try (Device device = Device.cpu(1);
        NativeArena arena = new NativeArena("tiny model")) {
      Decoder decoder =
          new Decoder(config, arena, new RandomWeights(new Random(seed, 0), 0.3, layers, arena));
      ModelWriter.write(folder, decoder, DType.F32, device.kernels());
    }
    HfConfigWriter.write(
        folder.resolve("config.json"),
        new HfConfig(config, OptionalInt.of(end), List.of(end), Optional.of(DType.F32)));
    return folder;
  }

  private static void createFolder(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
