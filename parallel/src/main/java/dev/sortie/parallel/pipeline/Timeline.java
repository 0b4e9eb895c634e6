package dev.sortie.parallel.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The timeline that a schedule has if every action takes the time that is expected of it. */
public final class Timeline {
  private Timeline() {}

  /**
   * Each action starts when its stage is free and what it needs is there: a forward after that of
   * the stage before, and, where the last stage sends something back, training after the last
   * forward.
   *
   * @param actions of each stage
   * @param forward seconds of a forward at each stage
   * @param train seconds of training on a micro-batch at each stage
   * @param returns whether training waits for the last stage's forward
   */
  public static List<Timed> of(
      List<List<Action>> actions, double[] forward, double[] train, boolean returns) {
    return of(
        actions,
        step ->
            step.action().type() == ComputationType.FORWARD
                ? forward[step.stage()]
                : train[step.stage()],
        step -> forwardOnlyNeeds(step, returns ? actions.size() - 1 : step.stage()));
  }

  private static Optional<Chain.Step> forwardOnlyNeeds(Chain.Step step, int trainsAfter) {
    Action a = step.action();
    if (a.type() != ComputationType.FORWARD) {
      Action forward = new Action(ComputationType.FORWARD, a.microBatch());
      return Optional.of(new Chain.Step(trainsAfter, forward));
    }
    return step.stage() == 0 ? Optional.empty() : Optional.of(new Chain.Step(step.stage() - 1, a));
  }

  /**
   * Each action starts when its stage is free and what it needs is done.
   *
   * @param actions of each stage
   * @param seconds that an action takes
   * @param needs what must be done before an action, in addition to what its stage did before
   * @return the actions in an order in which they can be done
   * @throws IllegalArgumentException if a stage would wait for ever
   */
  public static List<Timed> of(
      List<List<Action>> actions,
      ToDoubleFunction<Chain.Step> seconds,
      Function<Chain.Step, Optional<Chain.Step>> needs) {
    int stages = actions.size();
    Map<Chain.Step, Double> ends = new HashMap<>();
    int[] next = new int[stages];
    double[] free = new double[stages];
    List<Timed> times = new ArrayList<>();
    boolean moved = true;
    while (moved) {
      moved = false;
      for (int s = 0; s < stages; s++) {
        while (next[s] < actions.get(s).size()) {
          Chain.Step step = new Chain.Step(s, actions.get(s).get(next[s]));
          Optional<Chain.Step> needed = needs.apply(step);
          Double ready = needed.isEmpty() ? Double.valueOf(0) : ends.get(needed.get());
          if (ready == null) {
            break;
          }
          double start = Math.max(free[s], ready);
          double end = start + seconds.applyAsDouble(step);
          times.add(new Timed(s, step.action(), start, end));
          ends.put(step, end);
          free[s] = end;
          next[s]++;
          moved = true;
        }
      }
    }
    for (int s = 0; s < stages; s++) {
      if (next[s] < actions.get(s).size()) {
        throw new IllegalArgumentException(
            "stage " + s + " waits for ever in " + actions.get(s).get(next[s]));
      }
    }
    return times;
  }
}
