package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;

/** Weights of which a part can be had without the rest. */
public interface SlicedWeights extends Weights {
  /**
   * A part of the tensor of this name: the numbers that the whole has there.
   *
   * @param whole shape of the whole tensor
   */
  Tensor get(String name, Shape whole, Role role, Slice part);
}
