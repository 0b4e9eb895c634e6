package dev.sortie.eetuning.train.pretrain;

import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.Strided;
import dev.sortie.tensor.memory.Allocator;
import java.util.function.Predicate;

/**
 * Parameters of a rank that trains some of a model's layers. The others have their shape and no
 * memory: one element that is repeated, on which every op fails since it does not lie in one run.
 *
 * @param source of the weights
 * @param held whether this rank computes with a tensor
 * @param allocator for the elements of the others
 */
record StageWeights(SlicedWeights source, Predicate<String> held, Allocator allocator)
    implements SlicedWeights {
  @Override
  public Tensor get(String name, Shape shape, Role role) {
    return held.test(name) ? source.get(name, shape, role).asParameter() : absent(shape);
  }

  @Override
  public Tensor get(String name, Shape whole, Role role, Slice part) {
    return held.test(name)
        ? source.get(name, whole, role, part).asParameter()
        : absent(part.of(whole));
  }

  private Tensor absent(Shape shape) {
    Tensor element = Tensor.allocate(allocator, DType.F32, Shape.of(1));
    return element.view(shape, 0, new Strided(shape.dims(), new long[shape.rank()]));
  }
}
