package dev.sortie.nn;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.List;
import java.util.Optional;

/**
 * {@code down(gelu(up(x)))}, or with a gate {@code down(gelu(gate(x)) * up(x))} (arXiv 1606.08415,
 * 2002.05202).
 *
 * @param tanh whether GELU is its tanh approximation
 * @param gate {@code C → F}, where there is one
 * @param up {@code C → F}
 * @param down {@code F → C}
 * @param sharding where it meets other ranks
 */
public record GeluMlp(
    boolean tanh, Optional<LinearMap> gate, LinearMap up, LinearMap down, Sharding sharding)
    implements Mlp {

  /** Takes {@code gate_proj} if it is {@code gated}, {@code up_proj} and {@code down_proj}. */
  public static GeluMlp of(
      Weights weights,
      long hidden,
      long ffn,
      boolean bias,
      boolean gated,
      boolean tanh,
      Sharding sharding) {
    var in = Weights.Role.INPUT_PROJECTION;
    return new GeluMlp(
        tanh,
        gated
            ? Optional.of(LinearMap.of(weights, "gate_proj", hidden, ffn, bias, in))
            : Optional.empty(),
        LinearMap.of(weights, "up_proj", hidden, ffn, bias, in),
        LinearMap.of(weights, "down_proj", ffn, hidden, bias, Weights.Role.OUTPUT_PROJECTION),
        sharding);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x) {
    if (gate.isEmpty()) {
      Tensor inner = sharding.inputs(ops, x, up).getFirst();
      return sharding.output(ops, ops.gelu(inner, tanh), down);
    }
    List<Tensor> inner = sharding.inputs(ops, x, gate.get(), up);
    return sharding.output(ops, ops.mul(ops.gelu(inner.get(0), tanh), inner.get(1)), down);
  }
}
