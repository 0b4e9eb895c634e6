package dev.sortie.parallel.shard;

import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.Weights;
import dev.sortie.tensor.Shape;
import dev.sortie.tensor.Tensor;

/**
 * One rank's share of a decoder's weights: asked for a tensor of the share, it takes that part of
 * the whole one from its source.
 *
 * @param source of the whole decoder's weights
 * @param share this rank's
 */
public record ShardWeights(SlicedWeights source, DecoderShare share) implements Weights {
  @Override
  public Tensor get(String name, Shape shape, Role role) {
    Shape whole = share.whole(name, shape);
    return share
        .part(name)
        .map(part -> source.get(name, whole, role, part))
        .orElseGet(() -> source.get(name, whole, role));
  }
}
