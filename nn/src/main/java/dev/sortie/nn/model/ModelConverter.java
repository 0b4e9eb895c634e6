package dev.sortie.nn.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.GgufLlama;
import dev.sortie.nn.format.GgufLlamaWriter;
import dev.sortie.nn.format.GgufMetadata;
import dev.sortie.nn.format.GgufWriter;
import dev.sortie.nn.format.HfConfig;
import dev.sortie.nn.format.HfConfigWriter;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.text.GgufTokenizerWriter;
import dev.sortie.nn.text.TokenizerJsonWriter;
import dev.sortie.nn.text.chat.ChatTemplateFiles;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Writes a model in another format or type, one tensor at a time. Norms and biases keep their
 * precision; a matrix whose type is not asked for keeps its own, or becomes F32 where the format
 * cannot hold that.
 */
public final class ModelConverter {
  /** Sees the work go on. */
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

  private static final String TEMPLATE = "tokenizer.chat_template";
  private static final List<String> MORE_ENDS =
      List.of("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id");

  private final ModelFiles from;
  private final DType type;
  private final Kernels kernels;
  private final Progress progress;
  private final List<GgufLlama.Entry> entries;
  private NativeArena scratch = new NativeArena("tensor that is converted");
  private long done;
  private long total;

  private ModelConverter(ModelFiles from, DType type, Kernels kernels, Progress progress) {
    this.from = from;
    this.type = type;
    this.kernels = kernels;
    this.progress = progress;
    if (!from.config().decoder().isPlainLlama()) {
      throw new InputException(
          "%s: model_type is %s; only models of the llama family without scaled rotary frequencies can be converted"
              .formatted(from.path(), from.config().family()));
    }
    entries = GgufLlama.entries(from.config().decoder());
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
    new ModelConverter(from, type, kernels, progress).gguf(target);
  }

  /**
   * Writes a Hugging Face folder's files into {@code folder}, which is there and empty.
   *
   * @param type of the matrices; null keeps them as they are, quantised ones as F32
   * @throws InputException if the model has what the format cannot say
   */
  public static void toSafetensors(
      ModelFiles from, Path folder, DType type, Kernels kernels, Progress progress) {
    if (type != null && type.isQuantised()) {
      throw new InputException(
          "safetensors cannot hold " + type + "; take F32, F16 or BF16, or write a GGUF file");
    }
    new ModelConverter(from, type, kernels, progress).safetensors(folder);
  }

  private void gguf(Path target) {
    GgufWriter writer = new GgufWriter();
    HfConfig config = from.config();
    if (from.stored() instanceof Gguf file) {
      GgufLlamaWriter.copy(file.metadata(), writer);
    } else {
      GgufLlamaWriter.write(config.decoder(), name(), writer);
      GgufTokenizerWriter.write(from.tokenizer(), config.decoder().vocab(), writer);
      moreEnds(writer);
      ChatTemplateFiles.source(from.path()).ifPresent(text -> writer.metadata(TEMPLATE, text));
    }
    GgufLlamaWriter.types(ggufType(matrix()), writer);
    total = entries.stream().mapToLong(e -> ggufType(e).bytes(info(e).elements())).sum();
    for (GgufLlama.Entry e : entries) {
      DType to = ggufType(e);
      writer.tensor(e.gguf(), to, e.shape(), () -> converted(e, e.gguf(), to, true));
    }
    try {
      writer.write(target);
      progress.see("", done, total);
    } finally {
      scratch.close();
    }
  }

  /** A configuration may name several ids at which generation ends; GGUF has a word for three. */
  private void moreEnds(GgufWriter writer) {
    OptionalInt eos = from.tokenizer().eosId();
    List<Integer> more =
        from.config().eos().stream().filter(id -> eos.isEmpty() || id != eos.getAsInt()).toList();
    if (more.size() > MORE_ENDS.size()) {
      throw new InputException(
          "%s: eos_token_id is %s beside the tokenizer's own, GGUF has words for %d more"
              .formatted(from.path(), more, MORE_ENDS.size()));
    }
    for (int i = 0; i < more.size(); i++) {
      writer.metadata(MORE_ENDS.get(i), more.get(i));
    }
  }

  private void safetensors(Path folder) {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    total = entries.stream().mapToLong(e -> hfType(e).bytes(info(e).elements())).sum();
    for (GgufLlama.Entry e : entries) {
      DType to = hfType(e);
      writer.tensor(e.hf(), to, e.shape(), () -> converted(e, e.hf(), to, false));
    }
    HfConfig c = from.config();
    DecoderConfig decoder = c.decoder().withRopeInterleaved(false);
    HfConfigWriter.write(
        folder.resolve("config.json"),
        new HfConfig(decoder, c.bos(), c.eos(), Optional.of(hfType(matrix()))));
    TokenizerJsonWriter.write(from.tokenizer(), folder.resolve("tokenizer.json"), template());
    try {
      writer.write(folder.resolve("model.safetensors"));
      progress.see("", done, total);
    } finally {
      scratch.close();
    }
  }

  private Optional<String> template() {
    if (from.stored() instanceof Gguf file) {
      GgufMetadata m = file.metadata();
      return m.has(TEMPLATE) ? Optional.of(m.getString(TEMPLATE)) : Optional.empty();
    }
    return ChatTemplateFiles.source(from.path());
  }

  private String name() {
    Path name = from.path().toAbsolutePath().normalize().getFileName();
    return name == null ? "model" : name.toString();
  }

  /** Some matrix of a layer, whose type is that of most. */
  private GgufLlama.Entry matrix() {
    return entries.stream()
        .filter(e -> e.gguf().equals("blk.0.ffn_gate.weight"))
        .findFirst()
        .orElseThrow();
  }

  private DType ggufType(GgufLlama.Entry e) {
    DType stored = info(e).dtype();
    if (e.shape().size() == 1) {
      return DType.F32; // llama.cpp computes with norms and biases in F32 only
    }
    DType wanted = type != null ? type : stored == DType.F64 ? DType.F32 : stored;
    boolean table = e.hf().equals("model.embed_tokens.weight") || e.hf().equals("lm_head.weight");
    if (type != null && table && wanted.isQuantised()) {
      wanted = DType.Q8_0;
    }
    long columns = e.shape().getLast();
    if (columns % wanted.block() != 0 && columns % DType.Q5_0.block() == 0) {
      wanted = DType.Q5_0; // of the smaller blocks the one nearest to Q4_K, as llama.cpp has it
    }
    return columns % wanted.block() == 0 ? wanted : DType.F16;
  }

  private DType hfType(GgufLlama.Entry e) {
    DType stored = info(e).dtype();
    boolean matrix = e.shape().size() > 1;
    return matrix && type != null ? type : stored.isQuantised() ? DType.F32 : stored;
  }

  private TensorInfo info(GgufLlama.Entry e) {
    return from.weights().tensors().get(e.hf());
  }

  private Span converted(GgufLlama.Entry e, String name, DType to, boolean interleaved) {
    progress.see(name, done, total);
    scratch.close();
    scratch = new NativeArena("tensor that is converted");
    DecoderConfig c = from.config().decoder();
    Span stored = from.weights().read(e.hf());
    Finite.check(stored, info(e).file() + ": tensor " + info(e).name());
    int heads = e.gguf().contains(".attn_q.") ? c.heads() : c.kvHeads();
    boolean rotary = e.gguf().contains(".attn_q.") || e.gguf().contains(".attn_k.");
    Span rows =
        rotary && interleaved != c.ropeInterleaved()
            ? RotaryRows.reordered(scratch, stored, heads, c.headSize(), interleaved)
            : stored;
    done += to.bytes(rows.length());
    return rows.dtype() == to ? rows : copied(rows, to);
  }

  /** Through F32 between two quantised types. */
  private Span copied(Span rows, DType to) {
    Span source = rows;
    if (to.isQuantised() && rows.dtype() != DType.F32) {
      source = scratch.allocate(DType.F32, rows.length()).span();
      kernels.copy(rows, source);
    }
    Span out = scratch.allocate(to, rows.length()).span();
    kernels.copy(source, out);
    return out;
  }

  /** Shapes and presence, which a loaded model would have checked. */
  private void checkTensors() {
    for (GgufLlama.Entry e : entries) {
      TensorInfo info = info(e);
      if (info == null || !info.shape().equals(e.shape()) || info.dtype() == DType.I32) {
        throw new InputException(
            "%s: tensor %s %s, the configuration needs one of shape %s"
                .formatted(
                    from.path(),
                    e.hf(),
                    info == null
                        ? "is missing"
                        : "is " + info.dtype() + " of shape " + info.shape(),
                    e.shape()));
      }
    }
  }
}
