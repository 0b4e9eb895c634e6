package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * Root-mean-square normalisation (arXiv 1910.07467).
 *
 * @param weight {@code [C]}
 * @param eps added to the mean square
 */
public record RmsNorm(Tensor weight, double eps) implements Norm {

  /** Takes {@code NAME.weight}. */
  public static RmsNorm of(Weights weights, String name, long size, double eps) {
    return new RmsNorm(weights.get(name + ".weight", Shape.of(size), Weights.Role.NORM), eps);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x) {
    return ops.rmsNorm(x, weight, eps);
  }
}
