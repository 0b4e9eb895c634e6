package dev.sortie.parallel.shard;

import dev.sortie.nn.Sharding;
import dev.sortie.nn.Slice;
import dev.sortie.tensor.Shape;
import java.util.Optional;

/**
 * Which of a tensor's elements a rank has, and whether it answers for them.
 *
 * @param whole shape of the whole tensor
 * @param part which part; empty: all
 * @param first whether, of the ranks that have the same elements, this is the first
 */
public record TensorShard(Shape whole, Optional<Slice> part, boolean first) {

  /** The shape of what the rank has. */
  public Shape mine() {
    return part.map(p -> p.of(whole)).orElse(whole);
  }

  /** All elements, on this rank alone. */
  public static TensorShard all(Shape whole) {
    return new TensorShard(whole, Optional.empty(), true);
  }

  /**
   * Of a tensor that a sharding shares out.
   *
   * @param name as in a decoder, or of a tensor like it, such as an optimiser's moments
   * @param mine shape of what this rank has
   */
  public static TensorShard of(Sharding sharding, String name, Shape mine) {
    if (!(sharding instanceof TensorParallel tp)) {
      return all(mine);
    }
    DecoderShard shard = tp.shard();
    return new TensorShard(shard.whole(name, mine), shard.part(name), shard.answers(name));
  }
}
