package dev.sortie.eetuning.train.tune;

import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.pipeline.Timed;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where a tuner runs. It does not change the result.
 *
 * @param groups stays open
 * @param plan which layers and exits each stage has; empty: by counted work
 * @param cache of hidden states, for which the backbone is run only where it has none; the ranks
 *     are all replicas then
 * @param trace is told what a pipeline's stage does when
 */
public record TunePlacement(
    ProcessGroups groups,
    Optional<StagePlan> plan,
    Optional<FeatureCache> cache,
    Consumer<Timed> trace) {

  /** On these ranks, with stages by counted work. */
  public static TunePlacement on(ProcessGroups groups) {
    return new TunePlacement(groups, Optional.empty(), Optional.empty(), t -> {});
  }

  /** With another plan of stages, and who is told what they do. */
  public TunePlacement with(StagePlan other, Consumer<Timed> listener) {
    return new TunePlacement(groups, Optional.of(other), cache, listener);
  }

  /** With a cache. */
  public TunePlacement with(FeatureCache other) {
    return new TunePlacement(groups, plan, Optional.of(other), trace);
  }
}
