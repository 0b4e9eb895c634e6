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
public record StatePart(Tensor tensor, TensorShard portion) {

  /** All of a tensor. */
  public static StatePart all(Tensor tensor) {
    return new StatePart(tensor, TensorShard.all(tensor.shape()));
  }

  /** Bytes of those for which this rank answers. */
  public static long bytes(Map<String, StatePart> parts) {
    return parts.values().stream()
        .filter(p -> p.portion.first())
        .mapToLong(p -> p.tensor.span().bytes())
        .sum();
  }

  /** Tensors by name, as a sharding shares them out. */
  public static SequencedMap<String, StatePart> of(Map<String, Tensor> state, Sharding sharding) {
    SequencedMap<String, StatePart> parts = new LinkedHashMap<>();
    state.forEach(
        (name, t) -> parts.put(name, new StatePart(t, TensorShard.of(sharding, name, t.shape()))));
    return parts;
  }
}
