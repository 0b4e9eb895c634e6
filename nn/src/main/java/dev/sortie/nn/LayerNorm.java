package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * Layer normalisation (arXiv 1607.06450).
 *
 * @param weight {@code [C]}
 * @param bias {@code [C]}
 * @param eps added to the variance
 */
public record LayerNorm(Tensor weight, Tensor bias, double eps) implements Norm {

  /** Takes {@code NAME.weight} and {@code NAME.bias}. */
  public static LayerNorm of(Weights weights, String name, long size, double eps) {
    return new LayerNorm(
        weights.get(name + ".weight", Shape.of(size), Weights.Role.NORM),
        weights.get(name + ".bias", Shape.of(size), Weights.Role.BIAS),
        eps);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x) {
    return ops.layerNorm(x, weight, bias, eps);
  }
}
