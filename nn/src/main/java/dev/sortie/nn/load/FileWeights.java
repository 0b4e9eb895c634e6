package dev.sortie.nn.load;

import dev.sortie.nn.InputException;
import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.format.TensorInfo;
import dev.sortie.nn.format.WeightSource;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.HashSet;
import java.util.Set;

/**
 * Weights from a file, checked: names, shapes, and that every number is finite. Matrices used in
 * place are read only when they are needed; a number in them that is not finite makes logits that
 * are not, which decoding and scoring refuse. Of a part, no more than the part is read where the
 * file is mapped.
 */
public final class FileWeights implements SlicedWeights {
  /**
   * Elements of the weights of a norm. These are the first that are converted, when no kernel is
   * compiled: 25 of 192 took a vector kernel 25 ms.
   */
  private static final long FEW = 8192;

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
    return get(name, shape, role, new Slice(0, 0, shape.dim(0)));
  }

  @Override
  public Tensor get(String name, Shape whole, Role role, Slice part) {
    TensorInfo info = checked(name, whole);
    Span all = source.read(name);
    if (all.dtype() == DType.I32) {
      throw new InputException(
          info.where() + " is I32, a weight is of a floating-point or quantised type");
    }
    taken.add(name);
    boolean matrix = role != Role.NORM && role != Role.BIAS;
    DType wanted = held(all.dtype(), matrix, precision);
    if (part.dim() > 0 && part.count() < whole.dim(part.dim())) {
      return columns(info, all, whole, part, wanted);
    }
    long row = whole.count() / whole.dim(0);
    Span stored = part.dim() > 0 ? all : all.slice(part.from() * row, part.count() * row);
    boolean copied = !source.isMapped(name);
    boolean inPlace =
        inPlace(stored.dtype(), wanted, precision) || (copied && stored.dtype() == wanted);
    boolean unread = inPlace && !copied && matrix;
    if (!unread) { // else the whole file would be read before the first token
      Finite.check(stored, info.where());
    }
    if (inPlace) {
      return Tensor.of(stored, part.of(whole));
    }
    Tensor copy = Tensor.allocate(allocator, wanted, part.of(whole));
    convert(stored, copy.span());
    MappedPages.letGo(stored);
    return copy;
  }

  private void convert(Span stored, Span copy) {
    if (stored.length() > FEW || stored.dtype().block() > 1 || copy.dtype().block() > 1) {
      kernels.copy(stored, copy);
      return;
    }
    for (long i = 0; i < stored.length(); i++) {
      copy.set(i, stored.get(i));
    }
  }

  /** Some columns of a matrix, always a copy: they do not lie together in the file. */
  private Tensor columns(TensorInfo info, Span all, Shape whole, Slice part, DType wanted) {
    if (whole.rank() != 2) {
      throw new IllegalArgumentException("columns of a tensor of shape " + whole);
    }
    long width = whole.dim(1);
    int block = all.dtype().block();
    boolean blocks = part.from() % block == 0 && part.count() % block == 0;
    if (!blocks && wanted.block() > 1) {
      throw new InputException(
          "%s: tensor %s is %s in blocks of %d, which columns %d to %d cut; hold the weights as f32 or bf16 (--dtype bf16), or take fewer ranks"
              .formatted(
                  info.file(),
                  info.name(),
                  all.dtype(),
                  block,
                  part.from(),
                  part.from() + part.count()));
    }
    Tensor copy = Tensor.allocate(allocator, wanted, part.of(whole));
    try (NativeArena scratch = new NativeArena("row of a weight")) {
      Span row = scratch.allocate(DType.F32, blocks ? 0 : width).span();
      for (long r = 0; r < whole.dim(0); r++) {
        Span from = all.slice(r * width, width);
        if (!blocks) {
          kernels.copy(from, row);
          from = row;
        }
        Span some = from.slice(part.from(), part.count());
        Span to = copy.span().slice(r * part.count(), part.count());
        if (some.dtype() == wanted) {
          to.segment().copyFrom(some.segment()); // blocks stay as they are
        } else {
          kernels.copy(some, to);
        }
      }
    }
    Finite.check(copy.span(), info.where());
    MappedPages.letGo(all);
    return copy;
  }

  private TensorInfo checked(String name, Shape shape) {
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
          info.where() + " has shape " + found + ", the configuration needs " + shape);
    }
    return info;
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
                + " is not part of the model that the configuration describes; check"
                + " num_hidden_layers and the biases");
      }
    }
  }
}
