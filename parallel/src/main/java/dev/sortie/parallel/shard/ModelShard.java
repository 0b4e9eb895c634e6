package dev.sortie.parallel.shard;

import dev.sortie.nn.Slice;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.ModelPartition;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The part of a model that one of several ranks holds: its part of some tensors.
 *
 * @param ranks how many share each tensor
 * @param index this rank's position
 * @param needed whether it computes with a tensor, by the decoder's name for it
 */
public record ModelShard(int ranks, int index, Predicate<String> needed) implements ModelPartition {

  /** This rank's shard of a decoder. */
  DecoderShard of(DecoderConfig whole) {
    return DecoderShard.of(whole, ranks, index);
  }

  @Override
  public boolean needs(String name) {
    return needed.test(name);
  }

  @Override
  public Optional<Slice> part(DecoderConfig whole, String name) {
    return ranks == 1 ? Optional.empty() : of(whole).part(name);
  }

  @Override
  public DecoderConfig share(DecoderConfig whole) {
    return of(whole).config();
  }
}
