package dev.sortie.eetuning.train.pretrain;

import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.model.DecoderConfig;
import dev.sortie.parallel.pipeline.Chain;
import dev.sortie.parallel.pipeline.Timed;
import dev.sortie.parallel.shard.ShardBuilder;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where a trainer runs. Only the ranks that share weights change the result, in the order of sums.
 *
 * @param groups stays open
 * @param sequence whether ranks that share weights share out the tokens too
 * @param layout how stages take turns
 * @param plan which layers each chunk has; empty: by counted work
 * @param trace is told what this stage does when; micro-batches count from the first step
 */
public record PretrainPlacement(
    ProcessGroups groups,
    boolean sequence,
    PretrainLayout layout,
    Optional<PretrainPlan> plan,
    Consumer<Timed> trace) {

  /** On these ranks, with stages by counted work. */
  public static PretrainPlacement on(
      ProcessGroups groups, boolean sequence, PretrainLayout layout) {
    return new PretrainPlacement(groups, sequence, layout, Optional.empty(), t -> {});
  }

  /** With another plan of chunks, and who is told what they do. */
  public PretrainPlacement with(PretrainPlan other, Consumer<Timed> listener) {
    return new PretrainPlacement(groups, sequence, layout, Optional.of(other), listener);
  }

  /** Makes this rank's shards of the model; empty where it has whole layers. */
  Optional<ShardBuilder> shards() {
    return groups.tensorParallel().map(group -> new ShardBuilder(group, sequence));
  }

  /** The chain of chunks. */
  Chain chain() {
    return layout.chain(groups.mesh().pp());
  }

  /** The plan given, or that by counted work. */
  PretrainPlan plan(DecoderConfig config, PretrainOptions options, int length) {
    return plan.orElseGet(() -> new PretrainPlan(config, options.exits().specs(), length, chain()));
  }
}
