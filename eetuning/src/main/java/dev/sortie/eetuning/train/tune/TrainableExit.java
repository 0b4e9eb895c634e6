package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.exit.Exit;
import dev.sortie.eetuning.train.ShardedTensor;
import dev.sortie.eetuning.train.checkpoint.CheckpointNames;
import dev.sortie.eetuning.train.rank.OptimizerPartition;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.Sharding;
import dev.sortie.nn.optim.AdamW;
import dev.sortie.parallel.shard.ShardGradients;
import dev.sortie.parallel.shard.TensorParallel;
import dev.sortie.tensor.Tensor;
import dev.sortie.tensor.autograd.Gradients;
import dev.sortie.tensor.autograd.Ops;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.NativeArena;
import dev.sortie.tensor.memory.Span;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/**
 * An exit under training.
 *
 * @param exit empty for the lookahead exit
 * @param sharding where its tensors and its head meet those of other ranks
 * @param shares where ranks share its parameters
 * @param replicas where replicas share the moments of its parameters
 */
record TrainableExit(
    int depth,
    Optional<Exit> exit,
    SequencedMap<String, Tensor> parameters,
    double weight,
    AdamW optimizer,
    Sharding sharding,
    Optional<ShardGradients> shares,
    Optional<OptimizerPartition> replicas) {

  /**
   * With an optimiser of its own.
   *
   * @param parameters this rank's
   * @param arena where the optimiser's moments live
   */
  static TrainableExit of(
      int depth,
      Optional<Exit> exit,
      SequencedMap<String, Tensor> parameters,
      Sharding sharding,
      TuneOptions options,
      ProcessGroups groups,
      NativeArena arena,
      Kernels kernels) {
    Optional<OptimizerPartition> replicas = OptimizerPartition.of(groups, parameters, sharding);
    SequencedMap<String, Tensor> mine = replicas.map(OptimizerPartition::mine).orElse(parameters);
    return new TrainableExit(
        depth,
        exit,
        parameters,
        options.exitWeights().getOrDefault(depth, 1.0),
        new AdamW(options.adamW(), arena, kernels, mine),
        sharding,
        sharding instanceof TensorParallel tp
            ? Optional.of(new ShardGradients(tp, parameters))
            : Optional.empty(),
        replicas);
  }

  String name() {
    return String.valueOf(depth);
  }

  /**
   * Updates the parameters, or begins to; see {@link #awaitUpdate}.
   *
   * @param gradients those of all micro-batches
   * @return their norm before clipping
   */
  double update(Ops ops, Gradients gradients, int step, double rate) {
    double norm;
    try (var _ = ops.workspace().mark()) {
      norm = norm(ops, gradients);
      UnaryOperator<Tensor> gradient = OptimizerPartition.gradients(replicas, gradients);
      optimizer.step(ops.kernels(), gradient, step, rate, norm);
    }
    replicas.ifPresent(OptimizerPartition::startExchange);
    return norm;
  }

  /** The global norm of this exit's gradients, whoever updates what. */
  private double norm(Ops ops, Gradients gradients) {
    if (shares.isPresent()) {
      return shares.get().finish(ops.kernels(), ops.workspace(), gradients);
    }
    List<Span> all = tensors().stream().map(p -> gradients.of(p).span()).toList();
    return Math.sqrt(ops.kernels().sumSquares(all));
  }

  /** Ends when the parameters are updated. */
  void awaitUpdate() {
    replicas.ifPresent(OptimizerPartition::awaitExchange);
  }

  /** Ends when no other replica reads or writes the parameters, however the run ended. */
  void settle() {
    replicas.ifPresent(OptimizerPartition::settle);
  }

  /** The state as parts of what all ranks have, by the names in checkpoints. */
  SequencedMap<String, ShardedTensor> parts() {
    SequencedMap<String, ShardedTensor> all = trained();
    if (replicas.isEmpty()) {
      all.putAll(ShardedTensor.of(moments(), sharding));
    } else {
      replicas.get().moments(optimizer.state()).forEach((n, m) -> all.put(momentName(n), m));
    }
    return all;
  }

  /** The parameters among {@link #parts}. */
  SequencedMap<String, ShardedTensor> trained() {
    if (replicas.isEmpty()) {
      return ShardedTensor.of(named(), sharding);
    }
    SequencedMap<String, ShardedTensor> all = new LinkedHashMap<>();
    replicas.get().parameters().forEach((n, p) -> all.put(CheckpointNames.ofExit(depth, n), p));
    return all;
  }

  private String momentName(String moment) {
    return CheckpointNames.ofExit(depth, "optimizer." + moment);
  }

  /** Parameters and optimiser state, by their names in checkpoints. */
  SequencedMap<String, Tensor> state() {
    SequencedMap<String, Tensor> all = named();
    all.putAll(moments());
    return all;
  }

  private SequencedMap<String, Tensor> named() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    parameters.forEach((name, p) -> all.put(CheckpointNames.ofExit(depth, name), p));
    return all;
  }

  private SequencedMap<String, Tensor> moments() {
    SequencedMap<String, Tensor> all = new LinkedHashMap<>();
    optimizer.state().forEach((name, s) -> all.put(momentName(name), s));
    return all;
  }

  Collection<Tensor> tensors() {
    return parameters.values();
  }
}
