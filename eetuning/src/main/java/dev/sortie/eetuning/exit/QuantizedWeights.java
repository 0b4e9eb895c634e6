package dev.sortie.eetuning.exit;

import dev.sortie.nn.Linear;
import dev.sortie.nn.Weights;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;

/**
 * Weights with their matrices in another type. Decoding is bound by reading weights: an exit's own
 * layer in F32 would cost as much as two of a backbone in BF16, or six in Q4_1. An exit only has to
 * say where to leave, or to draft, and bears the rounding of Q8_0: with SmolLM2-135M in BF16 asking
 * a {@code layer} exit with a head over 8,192 tokens reads 8.8 MB and not 16.5.
 *
 * @param source in F32
 * @param type of matrices; norms and biases stay
 * @param allocator for the copies
 * @param kernels that convert
 */
record QuantizedWeights(Weights source, DType type, Allocator allocator, Kernels kernels)
    implements Weights {

  /**
   * Parameters of a backbone in BF16 up to which its exits are held in BF16 as well. All of them
   * stay in caches, so fewer bytes gain nothing: {@code fable} decodes with exits 1.32 times as
   * fast as without in either type. And no kernels for Q8_0 have to be compiled first: from a cold
   * start 128 tokens come at 325 a second and not at 140 (Zen 4, two threads).
   */
  private static final long SMALL_BACKBONE = 8 << 20;

  /**
   * How exits of a backbone are held: in Q8_0, but F32 for a backbone in F32, which asks for
   * exactness, and BF16 for a small one in BF16.
   */
  static DType typeFor(LanguageModel backbone) {
    return typeFor(backbone.matrixType(), backbone.decoder().parameterCount());
  }

  /** The same for a backbone with matrices of this type. */
  static DType typeFor(DType matrices, long parameters) {
    boolean small = matrices == DType.BF16 && parameters <= SMALL_BACKBONE;
    return matrices == DType.F32 || small ? matrices : DType.Q8_0;
  }

  /** A copy of the rows of the backbone's head that a draft head reads. */
  Linear head(Linear rows) {
    Tensor weight = rows.weight();
    boolean converts = weight.dtype().block() == 1 && weight.shape().dim(-1) % type.block() == 0;
    Tensor held = Tensor.allocate(allocator, converts ? type : weight.dtype(), weight.shape());
    hold(weight, held.span(), kernels);
    return new Linear(held, rows.bias() == null ? null : copy(rows.bias()));
  }

  /**
   * Rows of the backbone's head as a draft head holds them.
   *
   * @param to as many elements, of the same type or, where {@code rows} is of no blocks, any other
   */
  static void hold(Tensor rows, Span to, Kernels kernels) {
    if (rows.dtype() == to.dtype()) {
      to.segment().copyFrom(rows.span().segment());
      return;
    }
    try (NativeArena exact = new NativeArena("draft head in F32")) {
      Tensor floats = Tensor.allocate(exact, DType.F32, rows.shape());
      kernels.copy(rows.span(), floats.span());
      kernels.copy(floats.span(), to);
    }
  }

  private Tensor copy(Tensor t) {
    Tensor copy = Tensor.allocate(allocator, t.dtype(), t.shape());
    copy.span().segment().copyFrom(t.span().segment());
    return copy;
  }

  @Override
  public Tensor get(String name, Shape shape, Role role) {
    Tensor from = source.get(name, shape, role);
    boolean matrix = role != Role.NORM && role != Role.BIAS;
    boolean fits = shape.dim(-1) % type.block() == 0;
    DType to = !matrix ? DType.F32 : fits ? type : DType.BF16;
    Tensor copy = Tensor.allocate(allocator, to, shape);
    kernels.copy(from.span(), copy.span());
    return copy;
  }
}
