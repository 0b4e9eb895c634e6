package dev.sortie.eetuning.exit;

import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.Optional;

/**
 * {@code W norm(layer(x))}: a whole transformer layer, with its own KV cache. A copy begins as the
 * last layer and the final norm.
 */
record LayerExit(DecoderLayer own, NormExit norm) implements ExitBranch {
  private static final String PREFIX = "layer.";

  static LayerExit of(DecoderConfig share, Weights weights, Sharding sharding) {
    int last = share.layers() - 1;
    DecoderLayer own = DecoderLayer.of(share, last, weights.under(PREFIX), sharding);
    return new LayerExit(own, NormExit.of(share, weights, sharding));
  }

  static Optional<String> original(String name, int depth, Decoder backbone) {
    if (!name.startsWith(PREFIX)) {
      return NormExit.original(name, depth, backbone);
    }
    int last = backbone.config().storedLayers() - 1;
    return Optional.of("model.layers." + last + "." + name.substring(PREFIX.length()));
  }

  @Override
  public Tensor apply(Ops ops, Tensor x, Tensor a, DecoderLayer below) {
    return norm.apply(ops, x, a, below);
  }

  @Override
  public Optional<DecoderLayer> layer() {
    return Optional.of(own);
  }
}
