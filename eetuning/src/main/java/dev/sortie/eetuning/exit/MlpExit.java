package dev.sortie.eetuning.exit;

import dev.sortie.nn.Mlp;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.Optional;

/**
 * {@code W norm(z)}, {@code z = a + mlp(n(a))}: an MLP alongside the layer's own, after the layer's
 * frozen post-attention norm {@code n}. In families that have a norm after the MLP, frozen as well,
 * {@code z = a + m(mlp(n(a)))}; in those that have none before it, {@code z = a + m(mlp(a))}. Where
 * attention and MLP are parallel, or a zero token gates the MLP, {@code a} is the layer's output,
 * so the exit's MLP stands after the layer's own and not in its place.
 *
 * <p>A copy begins as the layer's own MLP and the final norm, which is exactly the logit lens. In
 * such layers its last projection begins at 0 for that, since the layer's output has its own MLP in
 * it already.
 */
record MlpExit(Mlp mlp, NormExit norm) implements ExitBranch {
  static MlpExit of(DecoderConfig share, Weights weights, Sharding sharding) {
    Mlp mlp = DecoderLayer.mlp(share, weights.under("mlp."), sharding);
    return new MlpExit(mlp, NormExit.of(share, weights, sharding));
  }

  static Optional<String> original(String name, int depth, Decoder backbone) {
    if (!name.startsWith("mlp.")) {
      return NormExit.original(name, depth, backbone);
    }
    boolean has = backbone.layers().get(depth - 1).isOneStep();
    return has && name.startsWith("mlp.down_proj.")
        ? Optional.empty()
        : Optional.of("model.layers." + backbone.config().storedLayer(depth - 1) + "." + name);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x, Tensor a, DecoderLayer below) {
    return norm.apply(ops, below.feedForward(ops, a, mlp), a, below);
  }

  @Override
  public boolean readsResidual() {
    return true;
  }

  @Override
  public boolean projectsFrozenInput() {
    return true;
  }
}
