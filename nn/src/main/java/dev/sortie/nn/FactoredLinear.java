package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;

/**
 * {@code y = (x Bᵀ) Cᵀ + b}: a projection of rank R whose basis B other layers may read too (Basis
 * Sharing, arXiv 2410.03765, section 3). It costs {@code R (K + N)} multiplications per token
 * instead of {@code K N}.
 *
 * @param basis B, {@code [R, K]}, without a bias; the same tensor in all layers that share it
 * @param coefficients C, {@code [N, R]}, and the bias {@code [N]} or null
 */
public record FactoredLinear(Linear basis, Linear coefficients) implements LinearMap {
  /** What a layer's coefficients are called, after the name of the projection. */
  public static final String COEFFICIENTS = ".coefficients.weight";

  /** Takes {@code NAME.coefficients.weight} and, if wanted, {@code NAME.bias}. */
  static FactoredLinear of(
      Weights weights, String name, Linear basis, long outputs, boolean bias, Weights.Role role) {
    long rank = basis.weight().shape().dim(0);
    return new FactoredLinear(
        basis,
        new Linear(
            weights.get(name + COEFFICIENTS, Shape.of(outputs, rank), role),
            weights
                .getIf(bias, name + ".bias", Shape.of(outputs), Weights.Role.BIAS)
                .orElse(null)));
  }

  @Override
  public Linear first() {
    return basis;
  }

  @Override
  public Tensor rest(Ops ops, Tensor product) {
    return coefficients.apply(ops, product);
  }
}
