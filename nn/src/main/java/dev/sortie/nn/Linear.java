package dev.sortie.nn;

import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code y = x Wᵀ + b}.
 *
 * @param weight {@code [N, K]}
 * @param bias {@code [N]} or null
 */
public record Linear(Tensor weight, Tensor bias) {

  /** Takes {@code NAME.weight} and, if wanted, {@code NAME.bias}. */
  public static Linear of(
      Weights weights, String name, long inputs, long outputs, boolean bias, Weights.Role role) {
    return new Linear(
        weights.get(name + ".weight", Shape.of(outputs, inputs), role),
        weights.getIf(bias, name + ".bias", Shape.of(outputs), Weights.Role.BIAS).orElse(null));
  }

  /** {@code [.., K]} to {@code [.., N]}. */
  public Tensor apply(Ops ops, Tensor x) {
    return ops.linear(x, weight, bias);
  }

  /** Several of them on one x, in one go where nothing is recorded. */
  public static List<Tensor> applyAll(Ops ops, Tensor x, Linear... linears) {
    List<Tensor> weights = new ArrayList<>(linears.length);
    List<Tensor> biases = new ArrayList<>(linears.length);
    for (Linear l : linears) {
      weights.add(l.weight);
      biases.add(l.bias);
    }
    return ops.linears(x, weights, biases);
  }
}
