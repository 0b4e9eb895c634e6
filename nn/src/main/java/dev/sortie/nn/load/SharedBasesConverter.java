package dev.sortie.nn.load;

import dev.sortie.nn.FactoredLinear;
import dev.sortie.nn.InputException;
import dev.sortie.nn.basis.BasisCalibration;
import dev.sortie.nn.basis.GroupFactors;
import dev.sortie.nn.family.Families;
import dev.sortie.nn.family.FileTensor;
import dev.sortie.nn.family.GenerationConfig;
import dev.sortie.nn.family.HfConfigWriter;
import dev.sortie.nn.format.Gguf;
import dev.sortie.nn.format.SafetensorsWriter;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderTensors;
import dev.sortie.nn.model.SharedBases;
import dev.sortie.nn.text.chat.ChatTemplate;
import dev.sortie.nn.text.format.TokenizerJsonWriter;
import dev.sortie.tensor.device.Device;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import dev.sortie.tensor.memory.Workspace;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;

/**
 * Writes a folder in which layers share bases: from a model that it reads calibration text with
 * (see {@link GroupFactors}), or from such a folder with bases cut to fewer vectors.
 */
public final class SharedBasesConverter {
  private final ModelFiles from;
  private final SharedBases bases;
  private final DecoderConfig shared;
  private final DType type;
  private final ModelConverter.Progress progress;

  private SharedBasesConverter(
      ModelFiles from, SharedBases bases, DType type, ModelConverter.Progress progress) {
    ModelConverter.requireSafetensors(type);
    this.from = from;
    this.bases = bases;
    this.shared = from.config().decoder().withBases(bases);
    this.type = type == null ? matrixType(from) : type;
    this.progress = progress;
  }

  /**
   * Factors the projections of a model, and writes the result into {@code folder}, which is there
   * and empty.
   *
   * @param from a Hugging Face folder
   * @param bases which are shared, and of what rank
   * @param windows ids of calibration text, each its own sequence within the model's context
   * @param type of the matrices; null: that of the embedding
   * @return what each kind of projection loses
   * @throws InputException if the model is no such folder, or its bases are shared already
   */
  public static List<GroupFactors.Loss> factor(
      ModelFiles from,
      Path folder,
      SharedBases bases,
      List<int[]> windows,
      DType type,
      Device device,
      ModelConverter.Progress progress) {
    if (from.stored() instanceof Gguf) {
      throw new InputException(
          from.path()
              + " is a GGUF file; bases are shared from a Hugging Face folder, give that one");
    }
    SharedBasesConverter c = new SharedBasesConverter(from, bases, type, progress);
    try (NativeArena arena = new NativeArena("model that is factored");
        Workspace workspace = new Workspace()) {
      FileWeights weights =
          new FileWeights(from.weights(), Precision.FILE, arena, device.kernels());
      BasisCalibration calibration =
          new BasisCalibration(from.config().decoder(), weights, windows, device, arena, workspace);
      try (GroupFactors factors = new GroupFactors(calibration, bases)) {
        c.write(folder, device.kernels(), (name, shape, scratch) -> factors.get(name));
        return factors.losses();
      }
    }
  }

  /**
   * Cuts the bases of a folder to their first vectors, and writes the result into {@code folder},
   * which is there and empty.
   *
   * @param bases the same as it has, of lower ranks
   * @param type of the matrices; null: that of the embedding
   */
  public static void cut(
      ModelFiles from,
      Path folder,
      SharedBases bases,
      DType type,
      Kernels kernels,
      ModelConverter.Progress progress) {
    new SharedBasesConverter(from, bases, type, progress)
        .write(
            folder,
            kernels,
            (name, shape, scratch) -> {
              Span whole = from.weights().read(name);
              long columns = from.weights().tensors().get(name).shape().get(1);
              Span all = scratch.allocate(DType.F32, whole.length()).span();
              kernels.copy(whole, all);
              return corner(all, columns, shape, scratch);
            });
  }

  /** The first rows and columns of a matrix. */
  private static Span corner(Span all, long columns, List<Long> shape, NativeArena scratch) {
    long rows = shape.get(0);
    long width = shape.get(1);
    Span out = scratch.allocate(DType.F32, rows * width).span();
    for (long r = 0; r < rows; r++) {
      out.slice(r * width, width).segment().copyFrom(all.slice(r * columns, width).segment());
    }
    return out;
  }

  /** Number of elements that the projections of all layers have. */
  public static long elements(DecoderConfig config) {
    return DecoderTensors.of(config).entrySet().stream()
        .filter(e -> e.getValue().size() == 2)
        .filter(e -> e.getKey().startsWith("model.layers.") || SharedBases.isBasis(e.getKey()))
        .mapToLong(e -> TensorInfo.elements(e.getValue()))
        .sum();
  }

  /** Gives a factor in F32. */
  @FunctionalInterface
  private interface Factors {
    Span get(String name, List<Long> shape, NativeArena scratch);
  }

  private void write(Path folder, Kernels kernels, Factors factors) {
    SequencedMap<String, List<Long>> shapes = DecoderTensors.of(shared);
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    try (ConvertedTensors tensors = new ConvertedTensors(from, kernels, progress)) {
      for (FileTensor e : Families.tensors(from.config().family(), shared)) {
        String first = e.parts().getFirst();
        boolean factor = isFactor(first);
        DType to = e.shape().size() > 1 ? type : from.weights().tensors().get(first).dtype();
        tensors.expect(to.bytes(TensorInfo.elements(e.shape())));
        writer.tensor(
            e.name(),
            to,
            e.shape(),
            () ->
                factor
                    ? tensors.made(
                        e.name(), to, scratch -> factors.get(first, shapes.get(first), scratch))
                    : tensors.safetensors(e, to));
      }
      HfConfigWriter.copy(from.path(), folder.resolve("config.json"), type, bases);
      TokenizerJsonWriter.write(
          from.tokenizer(), folder.resolve("tokenizer.json"), ChatTemplate.sources(from.path()));
      GenerationConfig.copy(from.path(), folder);
      writer.write(folder.resolve("model.safetensors"));
      tensors.finished();
    }
  }

  private static boolean isFactor(String name) {
    return SharedBases.isBasis(name) || name.endsWith(FactoredLinear.COEFFICIENTS);
  }

  private static DType matrixType(ModelFiles from) {
    DType stored = from.weights().tensors().get("model.embed_tokens.weight").dtype();
    return stored == DType.F64 ? DType.F32 : stored;
  }
}
