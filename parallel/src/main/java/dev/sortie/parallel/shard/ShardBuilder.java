package dev.sortie.parallel.shard;

import dev.sortie.nn.Slice;
import dev.sortie.nn.SlicedWeights;
import dev.sortie.nn.load.LanguageModel;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.tensor.memory.Allocator;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Builds one rank's shard of a decoder: with {@link LanguageModel#load(
 * dev.sortie.nn.load.ModelFiles, dev.sortie.nn.load.Precision, dev.sortie.tensor.device.Device,
 * DecoderBuilder)} only that part of each weight is read from the file and held in memory.
 *
 * @param group the tensor-parallel ranks
 * @param sequence whether they share out the rows of the residual stream too
 * @param needed whether this rank computes with a tensor, by the decoder's name for it
 */
public record ShardBuilder(ShardGroup group, boolean sequence, Predicate<String> needed)
    implements DecoderBuilder {

  /** A part of all tensors. */
  public ShardBuilder(ShardGroup group, boolean sequence) {
    this(group, sequence, name -> true);
  }

  private ModelShard held() {
    return new ModelShard(group.size(), group.position(), needed);
  }

  @Override
  public Decoder build(DecoderConfig config, Allocator allocator, SlicedWeights weights) {
    DecoderShard shard = held().of(config);
    TensorParallel sharding = new TensorParallel(group, shard, sequence);
    return new Decoder(config, shard.config(), sharding, allocator, sharding.share(weights));
  }

  @Override
  public boolean needs(String name) {
    return held().needs(name);
  }

  @Override
  public Optional<Slice> part(DecoderConfig whole, String name) {
    return held().part(whole, name);
  }

  @Override
  public DecoderConfig share(DecoderConfig whole) {
    return held().share(whole);
  }
}
