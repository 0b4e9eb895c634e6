package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.RopeScaling;
import dev.sortie.nn.UsageException;
import dev.sortie.nn.family.Families;
import dev.sortie.nn.family.FileTensor;
import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.family.GgufCheckpoint;
import dev.sortie.nn.family.GgufCheckpointWriter;
import dev.sortie.nn.family.HfConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufWriter;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.nn.text.format.GgufTokenizerWriter;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes a model in another format or type: which tensors, of what type, under which names. Norms
 * and biases keep their precision; a matrix whose type is not asked for keeps its own, or becomes
 * F32 where the format cannot hold that.
 */
public final class ModelConverter {
  /** Is told how far the work is. */
  @FunctionalInterface
  public interface Progress {
    /**
     * A tensor is next, or all are written.
     *
     * @param tensor its name in the result; empty at the end
     * @param done bytes written before it
     * @param total bytes of all tensors
     */
    void see(String tensor, long done, long total);
  }

  private static final String LLAMA = "llama";
  private static final Set<String> TABLES = Set.of("token_embd.weight", "output.weight");
  private static final String POSITIONS = "position_embd.weight";
  private static final List<String> MORE_ENDS =
      List.of("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id");

  private final ModelFiles from;
  private final DType type;
  private final DecoderConfig config;
  private final ConvertedTensors tensors;

  private ModelConverter(ModelFiles from, DType type, ConvertedTensors tensors) {
    this.from = from;
    this.type = type;
    this.tensors = tensors;
    config = from.config().decoder();
    checkTensors();
  }

  /**
   * Writes a GGUF file, whole or not at all. Matrices of a 4- or 5-bit type leave the embedding and
   * the head in Q8_0, which they need more. Rows that are no whole number of blocks become Q5_0 if
   * they are one of its smaller blocks, else F16.
   *
   * @param type of the matrices; null keeps them as they are
   * @throws InputException if the model has what the format cannot say
   */
  public static void toGguf(
      ModelFiles from, Path target, DType type, Kernels kernels, Progress progress) {
    if (!from.config().decoder().switches().bases().isNone()) {
      throw new InputException(
          from.path()
              + ": its layers share bases (shared_bases in config.json), for which GGUF has no words;"
              + " write a folder");
    }
    try (ConvertedTensors tensors = new ConvertedTensors(from, kernels, progress)) {
      new ModelConverter(from, type, tensors).gguf(target);
    }
  }

  /**
   * Writes a Hugging Face folder's files into {@code folder}, which is there and empty.
   *
   * @param type of the matrices; null keeps them as they are, quantised ones as F32
   * @throws InputException if the model has what the format cannot say
   */
  public static void toSafetensors(
      ModelFiles from, Path folder, DType type, Kernels kernels, Progress progress) {
    requireSafetensors(type);
    try (ConvertedTensors tensors = new ConvertedTensors(from, kernels, progress)) {
      new ModelConverter(from, type, tensors).safetensors(folder);
    }
  }

  /** Fails if safetensors cannot hold matrices of a type; null is none that is asked for. */
  static void requireSafetensors(DType type) {
    if (type != null && type.isQuantised()) {
      throw new UsageException(
          "safetensors cannot hold " + type + "; take F32, F16 or BF16, or write a GGUF file");
    }
  }

  private void gguf(Path target) {
    GgufWriter writer = new GgufWriter();
    String family = from.config().family();
    List<FileTensor> entries = GgufCheckpoint.entries(family, config);
    if (from.stored() instanceof Gguf file) {
      GgufCheckpointWriter.copy(file.metadata(), writer);
    } else {
      GgufCheckpointWriter.write(config, family, name(), from.path(), writer);
      GgufTokenizerWriter.write(from.tokenizer(), name(), config.vocab(), writer);
      moreEnds(writer);
      ChatTemplate.sources(from.path())
          .forEach((name, text) -> writer.metadata(ChatTemplate.ggufKey(name), text));
    }
    GgufCheckpointWriter.types(ggufType(matrix(entries)), writer);
    entries.forEach(e -> tensors.expect(ggufType(e).bytes(TensorInfo.elements(e.shape()))));
    GgufCheckpoint.factors(config).ifPresent(f -> factors(f, writer));
    for (FileTensor e : entries) {
      DType to = ggufType(e);
      writer.tensor(e.name(), to, e.shape(), () -> tensors.gguf(e, to));
    }
    writer.write(target);
    tensors.finished();
  }

  /** Divisors of rotary frequencies are a tensor. */
  private void factors(RopeScaling.Divided divided, GgufWriter writer) {
    List<Float> all = divided.factors();
    tensors.expect(DType.F32.bytes(all.size()));
    writer.tensor(
        GgufCheckpoint.FACTORS,
        DType.F32,
        List.of((long) all.size()),
        () -> tensors.numbers(GgufCheckpoint.FACTORS, all));
  }

  /**
   * The configuration and {@code generation_config.json} may name several ids at which generation
   * ends; GGUF has a word for three.
   */
  private void moreEnds(GgufWriter writer) {
    Set<Integer> ends = new LinkedHashSet<>(from.config().eos());
    ends.addAll(GenerationConfig.eos(from.path(), config.vocab()));
    from.tokenizer().eosId().ifPresent(ends::remove);
    List<Integer> more = List.copyOf(ends);
    if (more.size() > MORE_ENDS.size()) {
      throw new InputException(
          "%s: eos_token_id is %s in addition to the tokenizer's own, GGUF has words for %d more"
              .formatted(from.path(), more, MORE_ENDS.size()));
    }
    for (int i = 0; i < more.size(); i++) {
      writer.metadata(MORE_ENDS.get(i), more.get(i));
    }
  }

  private void safetensors(Path folder) {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    Map<DType, Long> elements = new EnumMap<>(DType.class);
    if (from.stored() instanceof Gguf) {
      for (FileTensor e : Families.tensors(from.config().family(), config)) {
        TensorInfo part = from.weights().tensors().get(e.parts().getFirst());
        DType to = count(elements, part, TensorInfo.elements(e.shape()));
        writer.tensor(e.name(), to, e.shape(), () -> tensors.safetensors(e, to));
      }
    } else {
      from.stored()
          .tensors()
          .forEach(
              (name, info) -> {
                DType to = count(elements, info, info.elements());
                writer.tensor(name, to, info.shape(), () -> tensors.stored(name, to));
              });
    }
    // the type of most elements that are in matrices
    DType most =
        elements.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    config(folder.resolve("config.json"), most);
    TokenizerJsonWriter.write(
        from.tokenizer(), folder.resolve("tokenizer.json"), ChatTemplate.sources(from.path()));
    GenerationConfig.copy(from.path(), folder);
    writer.write(folder.resolve("model.safetensors"));
    tensors.finished();
  }

  /** The type that a tensor gets; its bytes are expected, and counted if it is a matrix. */
  private DType count(Map<DType, Long> matrices, TensorInfo info, long elements) {
    DType to = hfType(info);
    tensors.expect(to.bytes(elements));
    if (info.shape().size() > 1) {
      matrices.merge(to, elements, Long::sum);
    }
    return to;
  }

  /** That of a folder stays as it is, but for the type. */
  private void config(Path file, DType matrices) {
    HfConfig c = from.config();
    if (from.stored() instanceof Gguf || (config.isPlainLlama() && c.family().equals(LLAMA))) {
      DecoderConfig decoder = config.withRopeInterleaved(false);
      Optional<DType> dtype = Optional.of(matrices);
      try {
        HfConfigWriter.write(file, new HfConfig(decoder, c.bos(), c.eos(), dtype, c.family()));
      } catch (InputException e) {
        throw new InputException(from.path() + ": " + e.getMessage(), e);
      }
    } else {
      HfConfigWriter.copy(from.path(), file, matrices);
    }
  }

  private String name() {
    Path name = from.path().toAbsolutePath().normalize().getFileName();
    return name == null ? "model" : name.toString();
  }

  /** Some matrix of a layer, whose type is that of most. */
  private static FileTensor matrix(List<FileTensor> entries) {
    return entries.stream()
        .filter(e -> e.name().equals("blk.0.ffn_up.weight"))
        .findFirst()
        .orElseThrow();
  }

  private DType ggufType(FileTensor e) {
    DType stored = from.weights().tensors().get(e.parts().getFirst()).dtype();
    if (e.shape().size() == 1) {
      return DType.F32; // llama.cpp computes with norms and biases in F32 only
    }
    DType wanted = type != null ? type : stored == DType.F64 ? DType.F32 : stored;
    if (type != null && wanted.isQuantised()) {
      if (e.name().equals(POSITIONS)) {
        wanted = DType.F32; // as llama.cpp leaves it
      } else if (TABLES.contains(e.name())) {
        wanted = DType.Q8_0;
      }
    }
    long columns = e.shape().getLast();
    if (columns % wanted.block() != 0 && columns % DType.Q5_0.block() == 0) {
      wanted = DType.Q5_0; // of the smaller blocks the one nearest to Q4_K, as llama.cpp has it
    }
    return columns % wanted.block() == 0 ? wanted : DType.F16;
  }

  private DType hfType(TensorInfo info) {
    DType stored = info.dtype();
    boolean matrix = info.shape().size() > 1 && stored != DType.I32;
    return matrix && type != null ? type : stored.isQuantised() ? DType.F32 : stored;
  }

  /** Shapes and presence, which a loaded model would have checked. */
  private void checkTensors() {
    DecoderTensors.of(config)
        .forEach(
            (name, shape) -> {
              TensorInfo info = from.weights().tensors().get(name);
              if (info == null || !info.shape().equals(shape) || info.dtype() == DType.I32) {
                throw new InputException(
                    "%s: tensor %s %s, the configuration needs one of shape %s"
                        .formatted(
                            from.path(),
                            name,
                            info == null
                                ? "is missing"
                                : "is " + info.dtype() + " of shape " + info.shape(),
                            shape));
              }
            });
  }
}
