package dev.sortie.eetuning.train;

import dev.sortie.nn.Sharding;
import dev.sortie.parallel.shard.TensorShard;
import dev.sortie.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A tensor of a run's state, or the part of it that this rank has.
 *
 * @param tensor the elements here
 * @param portion which of the whole tensor's they are
 */
public record ShardedTensor(Tensor tensor, TensorShard portion) {

  /** All of a tensor. */
  public static ShardedTensor all(Tensor tensor) {
    return new ShardedTensor(tensor, TensorShard.all(tensor.shape()));
  }

  /** Bytes of those for which this rank answers. */
  public static long bytes(Map<String, ShardedTensor> parts) {
    return parts.values().stream()
        .filter(p -> p.portion.first())
        .mapToLong(p -> p.tensor.span().bytes())
        .sum();
  }

  /** Tensors by name, as a sharding shares them out. */
  public static SequencedMap<String, ShardedTensor> of(
      Map<String, Tensor> state, Sharding sharding) {
    SequencedMap<String, ShardedTensor> parts = new LinkedHashMap<>();
    state.forEach(
        (name, t) ->
            parts.put(name, new ShardedTensor(t, TensorShard.of(sharding, name, t.shape()))));
    return parts;
  }
}
