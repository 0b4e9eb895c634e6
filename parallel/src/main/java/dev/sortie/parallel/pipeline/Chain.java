package dev.sortie.parallel.pipeline;

import java.util.List;
import java.util.Optional;

/**
 * How the layers of a model are dealt out: in {@code stages · chunks} pieces, of which stage s has
 * those at positions s, stages + s, 2 · stages + s, … One chunk a stage is the usual pipeline, more
 * are interleaved (Megatron-LM, arXiv 2104.04473, section 2.2).
 *
 * @param stages of the pipeline
 * @param chunks of each stage
 */
public record Chain(int stages, int chunks) {

  public Chain {
    if (stages < 1 || chunks < 1 || stages == 1 && chunks > 1) {
      throw new IllegalArgumentException(
          "no chain of %d stages with %d chunks each".formatted(stages, chunks));
    }
  }

  /** An action and who does it. */
  public record Step(int stage, Action action) {}

  /** Number of pieces. */
  public int length() {
    return stages * chunks;
  }

  /** Where a chunk stands, from 0. */
  public int position(int stage, int chunk) {
    return chunk * stages + stage;
  }

  /**
   * What must be done before an action may begin, in addition to what its stage did before: a
   * forward needs that of the piece before, a backward that of the piece behind.
   */
  public Optional<Step> needs(Step step) {
    return at(position(step.stage, step.action.chunk()) - direction(step.action), step.action);
  }

  /** The action that takes what this one sends. */
  public Optional<Step> feeds(Step step) {
    return at(position(step.stage, step.action.chunk()) + direction(step.action), step.action);
  }

  private static int direction(Action a) {
    return switch (a.type()) {
      case FORWARD -> 1;
      case BACKWARD -> -1;
      case TRAIN -> throw new IllegalArgumentException("nothing of a chain trains alone: " + a);
    };
  }

  private Optional<Step> at(int position, Action a) {
    return position < 0 || position >= length()
        ? Optional.empty()
        : Optional.of(
            new Step(position % stages, new Action(a.type(), a.microBatch(), position / stages)));
  }

  /**
   * The messages that a stage gets from another one, in the order in which that one sends them.
   *
   * @param sender what that one does, in its order
   * @return each as the action that takes it
   */
  public List<Action> messages(int from, List<Action> sender, int to) {
    return sender.stream()
        .flatMap(a -> feeds(new Step(from, a)).stream())
        .filter(s -> s.stage == to)
        .map(Step::action)
        .toList();
  }
}
