package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.family.Families;
import dev.sortie.nn.family.GgufCheckpoint;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufValue;
import dev.sortie.nn.format.Safetensors;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.text.SubwordTokenizer;
import dev.sortie.nn.text.format.GgufTokenizer;
import dev.sortie.nn.text.format.TokenizerJson;
import dev.sortie.nn.text.format.TokenizerModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * A model as people have it on disk, opened and checked but not loaded: a Hugging Face folder with
 * {@code config.json}, {@code *.safetensors} and {@code tokenizer.json} or {@code tokenizer.model},
 * or a {@code .gguf} file.
 *
 * @param path the folder or file
 * @param config sizes, switches and special ids
 * @param tokenizer its tokenizer
 * @param weights by the names that {@link Decoder} asks for
 * @param stored the same under the names of the file
 */
public record ModelFiles(
    Path path,
    HfConfig config,
    SubwordTokenizer tokenizer,
    WeightSource weights,
    WeightSource stored)
    implements AutoCloseable {
  private static final String TOKENIZER_JSON = "tokenizer.json";

  /** Is told what a model consists of before its tokenizer is read, which takes longer. */
  @FunctionalInterface
  public interface Preview {
    /**
     * Called once, by the thread that opens the model.
     *
     * @param config sizes and switches
     * @param weights names, shapes and types of the weights
     */
    void known(DecoderConfig config, WeightSource weights);
  }

  /**
   * Opens a model.
   *
   * @throws InputException if a file is missing or wrong
   */
  public static ModelFiles open(Path path) {
    return open(path, (config, weights) -> {});
  }

  /**
   * Opens a model and says early what it consists of.
   *
   * @throws InputException if a file is missing or wrong
   */
  public static ModelFiles open(Path path, Preview preview) {
    if (Gguf.isGguf(path)) {
      return openGguf(path, preview);
    }
    requireFolder(path);
    HfConfig config = HfConfig.read(path);
    Safetensors file = Safetensors.open(path, Families.buffers(config.family()));
    try {
      WeightSource weights = Families.weights(config.family(), file, config.decoder());
      preview.known(config.decoder(), weights);
      SubwordTokenizer tokenizer = tokenizer(path, config);
      int vocab = config.decoder().vocab();
      if (tokenizer.vocabSize() > vocab) {
        throw new InputException(
            "%s: the tokenizer has %d tokens, vocab_size of config.json is %d"
                .formatted(path, tokenizer.vocabSize(), vocab));
      }
      return new ModelFiles(path, config, tokenizer, weights, file);
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  /**
   * The tokenizer alone; a folder needs no weights for it.
   *
   * @throws InputException if a file is missing or wrong
   */
  public static SubwordTokenizer tokenizer(Path path) {
    if (Gguf.isGguf(path)) {
      try (ModelFiles files = open(path)) {
        return files.tokenizer();
      }
    }
    requireFolder(path);
    return tokenizer(path, HfConfig.read(path));
  }

  /**
   * SHA-256 of the tokenizer as the model's files have it, which {@link LanguageModel#sha256} says
   * nothing of. A GGUF file and the folder that it was made from differ.
   */
  public static String tokenizerSha256(Path path) {
    if (!Gguf.isGguf(path)) {
      return Sha256.of(tokenizerFile(path));
    }
    try (Gguf file = Gguf.open(path)) {
      Sha256 sha = new Sha256();
      file.metadata().values().entrySet().stream()
          .filter(e -> e.getKey().startsWith(GgufTokenizer.PREFIX))
          .forEach(
              e -> {
                String text = e.getKey() + " " + e.getValue() + "\n";
                sha.update(text.getBytes(StandardCharsets.UTF_8));
                if (e.getValue() instanceof GgufValue.Array list) {
                  sha.update(list.bytes());
                }
              });
      return sha.hex();
    }
  }

  /** Hash of all weights as they are stored, in hex; see {@link LanguageModel#sha256}. */
  public String sha256() {
    return new WeightsHash(stored).hex();
  }

  @Override
  public void close() {
    weights.close();
  }

  private static ModelFiles openGguf(Path path, Preview preview) {
    Gguf file = Gguf.open(path);
    try {
      HfConfig config = GgufCheckpoint.config(file);
      WeightSource weights = GgufCheckpoint.weights(file, config.decoder());
      preview.known(config.decoder(), weights);
      SubwordTokenizer tokenizer = GgufTokenizer.read(file.metadata(), config.decoder().vocab());
      return new ModelFiles(path, config, tokenizer, weights, file);
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private static void requireFolder(Path path) {
    if (!Files.isDirectory(path)) {
      throw new InputException(
          path
              + ": no such model; give a folder with config.json, model.safetensors and tokenizer.json or tokenizer.model, a .gguf file, or the word fable");
    }
  }

  /** Special ids that config.json names count where the tokenizer's own files are silent. */
  private static SubwordTokenizer tokenizer(Path folder, HfConfig config) {
    Path file = tokenizerFile(folder);
    SubwordTokenizer t =
        file.endsWith(TOKENIZER_JSON) ? TokenizerJson.read(file) : TokenizerModel.read(file);
    OptionalInt bos = t.bosId().isPresent() ? t.bosId() : config.bos();
    OptionalInt eos =
        t.eosId().isPresent() || config.eos().isEmpty()
            ? t.eosId()
            : OptionalInt.of(config.eos().getFirst());
    return t.withSpecials(bos, eos);
  }

  private static Path tokenizerFile(Path folder) {
    Path json = folder.resolve(TOKENIZER_JSON);
    Path model = folder.resolve("tokenizer.model");
    if (!Files.exists(json) && !Files.exists(model)) {
      throw new InputException(
          json + ": no such file, and no tokenizer.model next to it; put one of the two there");
    }
    return Files.exists(json) ? json : model;
  }
}
