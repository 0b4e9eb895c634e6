package dev.sortie.eetuning.train;

import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.memory.Allocator;

/**
 * F32 tensors of the right shapes whose elements someone else writes, or nobody.
 *
 * @param allocator where they lie
 */
public record ReservedWeights(Allocator allocator) implements SlicedWeights {
  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return Tensor.allocate(allocator, DType.F32, shape);
  }

  @Override
  public Tensor get(String name, Shape whole, Role role, Slice part) {
    return get(name, part.of(whole), role);
  }
}
