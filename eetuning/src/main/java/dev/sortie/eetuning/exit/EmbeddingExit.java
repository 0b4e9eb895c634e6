package dev.sortie.eetuning.exit;

import dev.sortie.nn.Sharding;
import dev.sortie.nn.Weights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.DecoderLayer;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Ops;
import java.util.Optional;

/** {@code W x}: a head on the hidden state as it is. */
record EmbeddingExit() implements ExitBranch {
  static EmbeddingExit of(DecoderConfig share, Weights weights, Sharding sharding) {
    return new EmbeddingExit();
  }

  static Optional<String> original(String name, int depth, Decoder backbone) {
    throw new IllegalArgumentException("an embedding exit has no tensor " + name);
  }

  @Override
  public Tensor apply(Ops ops, Tensor x, Tensor a, DecoderLayer below) {
    return x;
  }
}
