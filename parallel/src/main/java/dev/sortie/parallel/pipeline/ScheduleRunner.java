package dev.sortie.parallel.pipeline;

import java.util.List;
import java.util.function.Consumer;

/**
 * Carries out a schedule.
 *
 * @param stage this one
 * @param ready waits for what an action needs from other stages; the time counts as idle
 * @param work does an action
 * @param trace takes the time of each, in seconds of {@link System#nanoTime}
 */
public record ScheduleRunner(
    int stage, Consumer<Action> ready, Consumer<Action> work, Consumer<Timed> trace) {

  /** Does these actions one after another. */
  public void run(List<Action> actions) {
    for (Action action : actions) {
      ready.accept(action);
      double start = System.nanoTime() * 1e-9;
      work.accept(action);
      trace.accept(new Timed(stage, action, start, System.nanoTime() * 1e-9));
    }
  }
}
