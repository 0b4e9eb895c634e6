package dev.sortie.parallel.shard;

import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;

/**
 * One rank's shard of a decoder's weights: asked for a tensor of the shard, it takes that part of
 * the whole one from its source.
 *
 * @param source of the whole decoder's weights
 * @param shard this rank's
 */
public record ShardWeights(SlicedWeights source, DecoderShard shard) implements Weights {
  @Override
  public Tensor get(String name, Shape shape, Role role) {
    Shape whole = shard.whole(name, shape);
    return shard
        .part(name)
        .map(part -> source.get(name, whole, role, part))
        .orElseGet(() -> source.get(name, whole, role));
  }
}
