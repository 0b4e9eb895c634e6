package dev.sortie.nn;

import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.List;

/**
 * {@code down(silu(gate(x)) * up(x))} (arXiv 2002.05202).
 *
 * @param gate {@code C → F}
 * @param up {@code C → F}
 * @param down {@code F → C}
 * @param sharding where it meets other ranks
 */
public record SwiGluMlp(LinearMap gate, LinearMap up, LinearMap down, Sharding sharding)
    implements Mlp {

  /** Takes {@code gate_proj}, {@code up_proj} and {@code down_proj}. */
  public static SwiGluMlp of(
      Weights weights, long hidden, long ffn, boolean bias, Sharding sharding) {
    return new SwiGluMlp(
        LinearMap.of(weights, "gate_proj", hidden, ffn, bias, Weights.Role.INPUT_PROJECTION),
        LinearMap.of(weights, "up_proj", hidden, ffn, bias, Weights.Role.INPUT_PROJECTION),
        LinearMap.of(weights, "down_proj", ffn, hidden, bias, Weights.Role.OUTPUT_PROJECTION),
        sharding);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x) {
    List<Tensor> inner = sharding.inputs(ops, x, gate, up);
    return sharding.output(ops, ops.swiglu(inner.get(0), inner.get(1)), down);
  }
}
