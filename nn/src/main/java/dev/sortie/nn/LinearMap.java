package dev.sortie.nn;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.dtype.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * A linear map of a layer, {@code y = x Wᵀ + b}: a matrix of its own ({@link Linear}), or the
 * product of a basis that layers share and coefficients ({@link FactoredLinear}).
 */
public sealed interface LinearMap permits Linear, FactoredLinear {

  /** Takes the tensors of the projection {@code name}; {@link Weights#basis} decides its kind. */
  static LinearMap of(
      Weights weights, String name, long inputs, long outputs, boolean bias, Weights.Role role) {
    return weights
        .basis(name, inputs, outputs)
        .<LinearMap>map(
            basis -> FactoredLinear.of(weights, name, new Linear(basis, null), outputs, bias, role))
        .orElseGet(() -> Linear.of(weights, name, inputs, outputs, bias, role));
  }

  /** The matrix that is multiplied with x. */
  Linear first();

  /** y, from the product of x with {@link #first}. */
  Tensor rest(Ops ops, Tensor product);

  /** {@code [.., K]} to {@code [.., N]}. */
  default Tensor apply(Ops ops, Tensor x) {
    return rest(ops, first().apply(ops, x));
  }

  /** Type of the matrix that is multiplied with x. */
  default DType dtype() {
    return first().weight().dtype();
  }

  /** Several of them on one x; the matrices that read x in one go where nothing is recorded. */
  static List<Tensor> applyAll(Ops ops, Tensor x, LinearMap... projections) {
    List<Tensor> weights = new ArrayList<>(projections.length);
    List<Tensor> biases = new ArrayList<>(projections.length);
    for (LinearMap p : projections) {
      weights.add(p.first().weight());
      biases.add(p.first().bias());
    }
    List<Tensor> products = ops.linears(x, weights, biases);
    List<Tensor> results = new ArrayList<>(projections.length);
    for (int i = 0; i < projections.length; i++) {
      results.add(projections[i].rest(ops, products.get(i)));
    }
    return results;
  }
}
