package dev.sortie.eetuning.train;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.parallel.shard.ShareGradients;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.Ops;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * An exit under training.
 *
 * @param exit empty for the lookahead exit
 * @param sharding where its tensors and its head meet those of other ranks
 * @param shares where ranks share its parameters
 */
record Trainee(
    int depth,
    Optional<Exit> exit,
    SequencedMap<String, Tensor> parameters,
    double weight,
    AdamW optimizer,
    Sharding sharding,
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

  /** Parameters and optimiser state, by their names in checkpoints. */
  SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    parameters.forEach((name, p) -> all.put(FinishedExits.name(depth, name), p));
    optimizer.state().forEach((name, s) -> all.put("exits." + name() + ".optimizer." + name, s));
    return all;
  }

  Collection<Tensor> tensors() {
    return parameters.values();
  }
}
