package dev.sortie.parallel.pipeline;

import java.util.ArrayList;
import java.util.List;

/**
 * The schedule of a pipeline in which nothing flows backward: each stage trains what it owns on the
 * hidden states of a micro-batch while later ones flow (EE-Tuning, arXiv 2402.00518, section 2.3).
 *
 * <p>The layers are frozen, so that a stage may forward micro-batches of the next step before this
 * one is done. Stage s keeps {@link #ahead} of them: as many as the stages behind it work on. So
 * the pipeline fills once and never drains, and all stages end a step at the same time.
 *
 * @param stage this one, from 0
 * @param stages number of stages
 * @param slack forwards more than that, of all stages but the last: 1 where training waits for
 *     something that the last stage sends back, so that it comes in time
 * @param end number of micro-batches in the stream
 */
public record ForwardOnly(int stage, int stages, int slack, long end) {

  public ForwardOnly {
    if (stage < 0 || stage >= stages || slack < 0 || end < 0) {
      throw new IllegalArgumentException(
          "no schedule for stage %d of %d, slack %d, %d micro-batches"
              .formatted(stage, stages, slack, end));
    }
  }

  /** The same stream at another stage. */
  public ForwardOnly at(int other) {
    return new ForwardOnly(other, stages, slack, end);
  }

  /** How many micro-batches this stage forwards before it trains on the first of them. */
  public int ahead() {
    return stage == stages - 1 ? 0 : stages - 1 - stage + slack;
  }

  /** Micro-batches that this stage has forwarded once it has trained on those before {@code m}. */
  public long forwarded(long m) {
    return Math.min(end, m + ahead());
  }

  /**
   * What the stage does to train on {@code count} micro-batches from {@code first} on.
   *
   * @param forwarded how many it has forwarded before
   */
  public List<Action> step(long forwarded, long first, int count) {
    List<Action> actions = new ArrayList<>();
    long next = forwarded;
    for (long m = first; m < first + count; m++) {
      while (next < Math.min(end, m + ahead() + 1)) {
        actions.add(new Action(ComputationType.FORWARD, next++));
      }
      actions.add(new Action(ComputationType.TRAIN, m));
    }
    return List.copyOf(actions);
  }
}
