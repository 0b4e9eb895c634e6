package dev.sortie.nn.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.HfConfig;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.nn.text.TokenizerJson;
import dev.sortie.tensor.Device;
import dev.sortie.tensor.memory.NativeArena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model as people have it on disk: a Hugging Face folder with {@code config.json}, {@code
 * *.safetensors} and {@code tokenizer.json}.
 *
 * @param folder where it lies
 * @param config its {@code config.json}
 * @param decoder the network
 * @param tokenizer its tokenizer
 * @param hash of all weights; see {@link #sha256}
 * @param arena owns the memory
 * @param weights the mapped files
 */
public record LanguageModel(
    Path folder,
    HfConfig config,
    Decoder decoder,
    Tokenizer tokenizer,
    WeightsHash hash,
    NativeArena arena,
    Safetensors weights)
    implements AutoCloseable {

  /**
   * Loads and checks a model.
   *
   * @throws InputException if a file is missing or wrong
   */
  public static LanguageModel load(Path folder, Precision precision, Device device) {
    if (!Files.isDirectory(folder)) {
      throw new InputException(
          folder
              + ": no such model folder; give a folder with config.json, model.safetensors and tokenizer.json, or the word fable");
    }
    HfConfig config = HfConfig.read(folder);
    Tokenizer tokenizer = tokenizer(folder, config);
    if (tokenizer.vocabSize() > config.decoder().vocab()) {
      throw new InputException(
          folder
              + ": the tokenizer has "
              + tokenizer.vocabSize()
              + " tokens, vocab_size of config.json is "
              + config.decoder().vocab());
    }
    NativeArena arena = new NativeArena("model");
    Safetensors file = null;
    try {
      file = Safetensors.open(folder);
      FileWeights weights = new FileWeights(file, precision, arena, device.kernels());
      Decoder decoder = new Decoder(config.decoder(), arena, weights);
      // files of models with a tied head sometimes hold the head a second time
      weights.refuseUnused(config.decoder().tiedHead() ? Set.of("lm_head.weight") : Set.of());
      return new LanguageModel(
          folder, config, decoder, tokenizer, new WeightsHash(file), arena, file);
    } catch (RuntimeException | Error e) {
      if (file != null) {
        file.close();
      }
      arena.close();
      throw e;
    }
  }

  /**
   * The tokenizer of a model folder, with the special ids that config.json names where the
   * tokenizer's own files are silent.
   */
  public static Tokenizer tokenizer(Path folder, HfConfig config) {
    Tokenizer t = TokenizerJson.read(folder.resolve("tokenizer.json"));
    OptionalInt bos = t.bosId().isPresent() ? t.bosId() : config.bos();
    OptionalInt eos =
        t.eosId().isPresent() || config.eos().isEmpty()
            ? t.eosId()
            : OptionalInt.of(config.eos().getFirst());
    return t.withSpecials(bos, eos);
  }

  /**
   * Hash of all weights, in hex: what exits are tied to. Computed at the first call, for it costs a
   * second or two a gigabyte and decoding without exits has no use for it.
   */
  public String sha256() {
    return hash.hex();
  }

  /**
   * Memory that the copied weights take, in bytes; weights used in place from the file are not
   * counted.
   */
  public long bytes() {
    return arena.bytes();
  }

  @Override
  public void close() {
    weights.close();
    arena.close();
  }
}
