package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * {@code y = x Wᵀ + b}.
 *
 * @param weight {@code [N, K]}
 * @param bias {@code [N]} or null
 */
public record Linear(Tensor weight, Tensor bias) implements LinearMap {

  /** Takes {@code NAME.weight} and, if wanted, {@code NAME.bias}. */
  public static Linear of(
      Weights weights, String name, long inputs, long outputs, boolean bias, Weights.Role role) {
    return new Linear(
        weights.get(name + ".weight", Shape.of(outputs, inputs), role),
        weights.getIf(bias, name + ".bias", Shape.of(outputs), Weights.Role.BIAS).orElse(null));
  }

  @Override
  public Linear first() {
    return this;
  }

  @Override
  public Tensor rest(Ops ops, Tensor product) {
    return product;
  }

  @Override
  public Tensor apply(Ops ops, Tensor x) {
    return ops.linear(x, weight, bias);
  }
}
