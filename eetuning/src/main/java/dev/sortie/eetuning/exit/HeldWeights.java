package dev.sortie.eetuning.exit;

import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.tensor.DType;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Allocator;

/**
 * Weights with their matrices in another type. Decoding is bound by reading weights: an exit's own
 * layer in F32 would cost as much as two of a backbone in BF16, or six in Q4_1.
 *
 * @param source in F32
 * @param type of matrices; norms and biases stay
 * @param allocator for the copies
 * @param kernels that convert
 */
record HeldWeights(Weights source, DType type, Allocator allocator, Kernels kernels)
    implements Weights {

  /**
   * How exits of a backbone are held: as its layers are, in Q8_0 where those are in quantised
   * blocks.
   */
  static DType typeFor(Decoder backbone) {
    DType type = backbone.layers().getFirst().attention().q().weight().dtype();
    return type.block() > 1 ? DType.Q8_0 : type == DType.F64 ? DType.F32 : type;
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
