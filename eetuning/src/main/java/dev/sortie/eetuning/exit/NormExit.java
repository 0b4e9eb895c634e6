package dev.sortie.eetuning.exit;

import dev.sortie.nn.Norm;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.Optional;

/** {@code W norm(x)}: the logit lens with a norm of its own. A copy begins as the final norm. */
record NormExit(Norm norm) implements ExitBranch {
  static NormExit of(DecoderConfig share, Weights weights, Sharding sharding) {
    return new NormExit(DecoderLayer.norm(share, weights, "norm"));
  }

  static Optional<String> original(String name, int depth, Decoder backbone) {
    return Optional.of("model." + name);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x, Tensor a, DecoderLayer below) {
    return norm.apply(ops, x);
  }
}
