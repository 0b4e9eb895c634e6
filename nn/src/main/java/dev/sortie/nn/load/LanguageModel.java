package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.file.Sha256;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.text.Tokenizer;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * A model ready to compute, loaded from {@link ModelFiles}.
 *
 * @param path the folder or file
 * @param config sizes, switches and special ids
 * @param decoder the network
 * @param tokenizer its tokenizer
 * @param hash of all weights; see {@link #sha256}
 * @param arena owns the memory
 * @param weights the mapped files
 * @param precision how matrices are held
 * @param arithmetic how rows are multiplied with weights in blocks: integer only if there are such
 *     weights and the device prefers it
 * @param device where to compute with it, in that arithmetic; the one that it was loaded for closes
 *     its threads
 */
public record LanguageModel(
    Path path,
    HfConfig config,
    Decoder decoder,
    Tokenizer tokenizer,
    WeightsHash hash,
    NativeArena arena,
    WeightSource weights,
    Precision precision,
    Arithmetic arithmetic,
    Device device)
    implements AutoCloseable {
  private static final String HEAD = "lm_head.weight";
  private static final String TABLE = "model.embed_tokens.weight";

  /**
   * Loads and checks a model for exact arithmetic: a Hugging Face folder or a {@code .gguf} file.
   *
   * @throws InputException if a file is missing or wrong
   */
  public static LanguageModel load(Path path, Precision precision, Device device) {
    return load(path, precision, Arithmetic.EXACT, device);
  }

  /**
   * Loads and checks a model: a Hugging Face folder or a {@code .gguf} file.
   *
   * @throws InputException if a file is missing or wrong
   */
  public static LanguageModel load(
      Path path, Precision precision, Arithmetic arithmetic, Device device) {
    return load(ModelFiles.open(path), precision, arithmetic, device, DecoderBuilder.WHOLE);
  }

  /**
   * Loads and checks a model that is open, for exact arithmetic; closing it closes the files, as a
   * failure does.
   *
   * @throws InputException if a file is wrong, or the model cannot fit in memory
   */
  public static LanguageModel load(ModelFiles files, Precision precision, Device device) {
    return load(files, precision, device, DecoderBuilder.WHOLE);
  }

  /**
   * Loads the part of a model that a process computes with, for exact arithmetic.
   *
   * @param builder takes what it needs of the model: some layers, or a share of each weight
   * @throws InputException if a file is wrong, or the part cannot fit in memory
   */
  public static LanguageModel load(
      ModelFiles files, Precision precision, Device device, DecoderBuilder builder) {
    return load(files, precision, Arithmetic.EXACT, device, builder);
  }

  /**
   * Loads the part of a model that a process computes with. The other tensors stay where the file
   * is mapped and are not read; only those that a file holds in another arrangement are copied.
   *
   * @param arithmetic of decoding; exact for weights that change
   * @param builder takes what it needs of the model: some layers, or a share of each weight
   * @throws InputException if a file is wrong, or the part cannot fit in memory
   */
  public static LanguageModel load(
      ModelFiles files,
      Precision precision,
      Arithmetic arithmetic,
      Device device,
      DecoderBuilder builder) {
    NativeArena arena = NativeArena.reserving("model");
    try {
      Arithmetic wanted = arithmetic.on(device);
      ModelMemory.of(files, precision, wanted, builder)
          .require(files, precision, AvailableMemory.now());
      DecoderConfig config = files.config().decoder();
      FileWeights weights = new FileWeights(files.weights(), precision, arena, device.kernels());
      FileWeights unread =
          new FileWeights(files.weights(), Precision.FILE, arena, device.kernels());
      PartialWeights parts = new PartialWeights(builder::needs, weights, unread);
      Decoder decoder = builder.build(config, arena, parts);
      Set<String> allowed = new HashSet<>(parts.left());
      if (config.tiedHead()) { // files of such models sometimes hold the head a second time
        requireSameHead(files.weights());
        allowed.add(HEAD);
      }
      weights.refuseUnused(allowed);
      Device computes =
          wanted == Arithmetic.EXACT
              ? device
              : ModelTiles.device(
                  decoder,
                  name -> files.weights().tensors().get(name).where(),
                  builder::needs,
                  device,
                  arena);
      return new LanguageModel(
          files.path(),
          files.config(),
          decoder,
          files.tokenizer(),
          new WeightsHash(files.stored()),
          arena,
          files.weights(),
          precision,
          computes == device ? Arithmetic.EXACT : Arithmetic.INTEGER,
          computes);
    } catch (RuntimeException | Error e) {
      files.close();
      arena.close();
      throw e;
    }
  }

  /** Another head would be left out without a word. */
  private static void requireSameHead(WeightSource file) {
    TensorInfo head = file.tensors().get(HEAD);
    TensorInfo table = file.tensors().get(TABLE);
    if (head == null || table == null || head.dtype() != table.dtype()) {
      return;
    }
    Span one = file.read(HEAD);
    Span other = file.read(TABLE);
    boolean same = one.readOnly().mismatch(other.readOnly()) < 0;
    MappedPages.letGo(one);
    MappedPages.letGo(other);
    if (!same) {
      throw new InputException(
          "%s: config.json says that the head is the embedding table, but %s differs from it; set tie_word_embeddings to false to use the head of the file, or remove that tensor"
              .formatted(head.where(), HEAD));
    }
  }

  /**
   * Hash of all weights as they are stored, in hex: what exits are tied to. Computed at the first
   * call, for it costs a second or two a gigabyte and decoding without exits has no use for it.
   */
  public String sha256() {
    return hash.hex();
  }

  /**
   * Hash of all that its hidden states depend on, in hex: {@link #sha256}, and how the weights are
   * used, such as rotary frequencies and the epsilon of norms.
   */
  public String statesSha256() {
    return Sha256.of((sha256() + " " + config.decoder()).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The type in which layers hold their matrices: the one that all are copied to, or that of the
   * first layer's query projection. The same in every process that holds a part of the model,
   * though a file may have other types in other layers.
   */
  public DType matrixType() {
    return precision.of(decoder.layers().getFirst().attention().q().dtype());
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
