package dev.sortie.parallel.shard;

import dev.sortie.nn.PartWeights;
import dev.sortie.nn.model.Decoder;
import dev.sortie.nn.model.DecoderBuilder;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.nn.model.LanguageModel;
import dev.sortie.tensor.memory.Allocator;

/**
 * Builds one rank's share of a decoder: with {@link LanguageModel#load(
 * dev.sortie.nn.model.ModelFiles, dev.sortie.nn.model.Precision, dev.sortie.tensor.Device,
 * DecoderBuilder)} only that share of each weight is read from the file and held in memory.
 *
 * @param group the tensor-parallel ranks
 * @param sequence whether they share out the rows of the residual stream too
 */
public record ShareBuilder(ShardGroup group, boolean sequence) implements DecoderBuilder {
  @Override
  public Decoder build(DecoderConfig config, Allocator allocator, PartWeights weights) {
    DecoderShare share = share(config);
    TensorParallel sharding = new TensorParallel(group, share, sequence);
    return new Decoder(config, share.config(), sharding, allocator, sharding.share(weights));
  }

  /** This rank's share of a decoder. */
  public DecoderShare share(DecoderConfig config) {
    return DecoderShare.of(config, group.size(), group.position());
  }

  @Override
  public int shares() {
    return group.size();
  }
}
