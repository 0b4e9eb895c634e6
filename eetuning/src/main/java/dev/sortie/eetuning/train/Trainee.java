package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.parallel.shard.ShareGradients;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.Ops;
import java.util.Collection;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * An exit under training.
 *
 * @param exit empty for the lookahead exit
 * @param shares where ranks share its parameters
 */
record Trainee(
    int depth,
    Optional<Exit> exit,
    SequencedMap<String, Tensor> parameters,
    double weight,
    AdamW optimizer,
    Optional<ShareGradients> shares) {
  String name() {
    return String.valueOf(depth);
  }

  /** Updates the parameters; {@code gradients} are those of all micro-batches. */
  void update(Ops ops, Gradients gradients, int step, double rate) {
    if (shares.isEmpty()) {
      optimizer.step(ops.kernels(), gradients, step, rate);
      return;
    }
    try (var _ = ops.workspace().mark()) {
      double norm = shares.get().finish(ops.kernels(), ops.workspace(), gradients);
      optimizer.step(ops.kernels(), gradients, step, rate, norm);
    }
  }

  Collection<Tensor> tensors() {
    return parameters.values();
  }
}
