package dev.sortie.nn.model;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Weights;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.Span;
import java.util.HashSet;
import java.util.Set;

/**
 * Weights from a file, checked: names, shapes, and that every number is finite. Matrices used in
 * place are read only when they are needed; a number in them that is not finite makes logits that
 * are not, which decoding and scoring refuse.
 */
public final class FileWeights implements Weights {
  private final WeightSource source;
  private final Precision precision;
  private final Allocator allocator;
  private final Kernels kernels;
  private final Set<String> taken = new HashSet<>();

  /**
   * Weights of {@code source}.
   *
   * @param allocator for those that are copied
   */
  public FileWeights(
      WeightSource source, Precision precision, Allocator allocator, Kernels kernels) {
    this.source = source;
    this.precision = precision;
    this.allocator = allocator;
    this.kernels = kernels;
  }

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    TensorInfo info = source.tensors().get(name);
    if (info == null) {
      throw new InputException(
          source.origin()
              + ": tensor "
              + name
              + " is missing; the configuration needs it with shape "
              + shape);
    }
    Shape found = Shape.of(info.shape().stream().mapToLong(Long::longValue).toArray());
    if (!found.equals(shape)) {
      throw new InputException(
          info.file()
              + ": tensor "
              + info.name()
              + " has shape "
              + found
              + ", the configuration needs "
              + shape);
    }
    Span stored = source.read(name);
    if (stored.dtype() == DType.I32) {
      throw new InputException(
          info.file()
              + ": tensor "
              + info.name()
              + " is I32, a weight is of a floating-point or quantised type");
    }
    taken.add(name);
    boolean matrix = role != Role.NORM && role != Role.BIAS;
    DType wanted = held(stored.dtype(), matrix, precision);
    boolean copied = !source.isMapped(name);
    boolean inPlace =
        inPlace(stored.dtype(), wanted, precision) || (copied && stored.dtype() == wanted);
    boolean unread = inPlace && !copied && matrix;
    if (!unread) { // else the whole file would be read before the first token
      Finite.check(stored, info.file() + ": tensor " + info.name());
    }
    if (inPlace) {
      return Tensor.of(stored, shape);
    }
    Tensor copy = Tensor.allocate(allocator, wanted, shape);
    kernels.copy(stored, copy.span());
    MappedPages.letGo(stored);
    return copy;
  }

  /** The type in which a weight is held that the file has as {@code stored}. */
  static DType held(DType stored, boolean matrix, Precision precision) {
    return !matrix || stored == DType.F64 ? DType.F32 : precision.of(stored);
  }

  /** Whether a weight is used where the file is mapped. */
  static boolean inPlace(DType stored, DType held, Precision precision) {
    return precision == Precision.FILE && held == stored;
  }

  /**
   * Fails if the file has tensors that nobody asked for.
   *
   * @param allowed names that may stay unused
   */
  public void refuseUnused(Set<String> allowed) {
    for (String name : source.tensors().keySet()) {
      if (!taken.contains(name)
          && !allowed.contains(name)
          && !name.endsWith("rotary_emb.inv_freq")) {
        throw new InputException(
            source.origin()
                + ": tensor "
                + name
                + " is not part of the model that the configuration describes; check num_hidden_layers and the biases");
      }
    }
  }
}
