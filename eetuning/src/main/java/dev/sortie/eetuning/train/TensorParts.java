package dev.sortie.eetuning.train;

import dev.sortie.nn.Part;
import dev.sortie.nn.PartWeights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.memory.Allocator;
import java.util.Map;

/**
 * Parts of tensors in memory.
 *
 * @param whole by name
 * @param allocator for the parts
 */
record TensorParts(Map<String, Tensor> whole, Allocator allocator) implements PartWeights {
  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return whole.get(name);
  }

  @Override
  public Tensor get(String name, Shape shape, Role role, Part part) {
    Tensor from = whole.get(name);
    Tensor to = Tensor.allocate(allocator, from.dtype(), part.of(shape));
    long inner = 1;
    for (int d = part.dim() + 1; d < shape.rank(); d++) {
      inner *= shape.dim(d);
    }
    long run = part.count() * inner;
    long step = shape.dim(part.dim()) * inner;
    for (long i = 0; i < shape.count() / step; i++) {
      to.span()
          .slice(i * run, run)
          .segment()
          .copyFrom(from.span().slice(i * step + part.from() * inner, run).segment());
    }
    return to;
  }
}
