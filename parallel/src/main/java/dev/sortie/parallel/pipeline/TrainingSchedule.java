package dev.sortie.parallel.pipeline;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The schedules of a step in which gradients flow back through the stages. All have one form: a
 * stage begins with some forwards, then does a forward and a backward by turns, then the backwards
 * that are left. They differ in how many forwards come first, and so in how many micro-batches are
 * under way, whose activations wait for their backward.
 *
 * <p>With p stages alike, m micro-batches and v chunks a stage, a stage is idle for (p − 1) / m of
 * the time that it works; interleaved for (p − 1) / (v m), for the price of v times the messages.
 */
public enum TrainingSchedule {
  /** All forwards, then all backwards (arXiv 1811.06965); m micro-batches are under way. */
  GPIPE("gpipe") {
    @Override
    int warmup(int stage, int stages, int forwards, int chunks) {
      return forwards;
    }
  },
  /** A backward as soon as there is one (arXiv 1806.03377): p − s are under way at stage s. */
  ONE_FORWARD_ONE_BACKWARD("1f1b") {
    @Override
    int warmup(int stage, int stages, int forwards, int chunks) {
      return stages - stage - 1;
    }
  },
  /**
   * 1F1B in which each stage has several chunks of layers, and takes p micro-batches through a
   * chunk before it turns to the next (arXiv 2104.04473, section 2.2). m is a multiple of p. At
   * most 2 (p − s − 1) + (v − 1) p + 1 passes through a chunk are under way at stage s.
   */
  INTERLEAVED("interleaved") {
    @Override
    int warmup(int stage, int stages, int forwards, int chunks) {
      return 2 * (stages - stage - 1) + (chunks - 1) * stages;
    }
  };

  private final String word;

  TrainingSchedule(String word) {
    this.word = word;
  }

  /** What users call it. */
  public String word() {
    return word;
  }

  /** Forwards of a stage before its first backward, if there are so many. */
  abstract int warmup(int stage, int stages, int forwards, int chunks);

  /**
   * What a stage does in a step.
   *
   * @param chain one chunk a stage, but for {@link #INTERLEAVED}
   * @param microBatches of the step; for {@link #INTERLEAVED} a multiple of the stages
   */
  public List<Action> actions(Chain chain, int stage, int microBatches) {
    boolean fits = this == INTERLEAVED ? microBatches % chain.stages() == 0 : chain.chunks() == 1;
    if (!fits || microBatches < 1) {
      throw new IllegalArgumentException(
          "no schedule %s of %s with %d micro-batches".formatted(word, chain, microBatches));
    }
    List<Action> forwards = forwards(chain, microBatches);
    int count = forwards.size();
    int first = Math.min(count, warmup(stage, chain.stages(), count, chain.chunks()));
    List<Action> actions = new ArrayList<>(forwards.subList(0, first));
    for (int i = 0; i < count; i++) {
      if (first + i < count) {
        actions.add(forwards.get(first + i));
      }
      Action f = forwards.get(i); // backwards go through the chunks the other way round
      actions.add(
          new Action(ComputationType.BACKWARD, f.microBatch(), chain.chunks() - 1 - f.chunk()));
    }
    return List.copyOf(actions);
  }

  /** What each stage does in a step. */
  public List<List<Action>> all(Chain chain, int microBatches) {
    return IntStream.range(0, chain.stages())
        .mapToObj(s -> actions(chain, s, microBatches))
        .toList();
  }

  /**
   * The forwards of every stage in their order, as of an evaluation: groups of as many
   * micro-batches as there are stages, each group chunk by chunk. The last group may be smaller.
   */
  public static List<Action> forwards(Chain chain, int microBatches) {
    List<Action> forwards = new ArrayList<>();
    for (int group = 0; group < microBatches; group += chain.stages()) {
      for (int chunk = 0; chunk < chain.chunks(); chunk++) {
        for (int m = group; m < Math.min(microBatches, group + chain.stages()); m++) {
          forwards.add(new Action(ComputationType.FORWARD, m, chunk));
        }
      }
    }
    return forwards;
  }
}
