package dev.sortie.parallel.pipeline;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The timeline that a schedule has if every action takes the time that is expected of it. */
public final class Plan {
  private Plan() {}

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
    int stages = actions.size();
    Map<Action, Double>[] ends = newMaps(stages);
    int[] next = new int[stages];
    double[] free = new double[stages];
    List<Timed> times = new ArrayList<>();
    boolean moved = true;
    while (moved) {
      moved = false;
      for (int s = 0; s < stages; s++) {
        while (next[s] < actions.get(s).size()) {
          Action a = actions.get(s).get(next[s]);
          Double ready = ready(a, s, ends, returns);
          if (ready == null) {
            break;
          }
          double start = Math.max(free[s], ready);
          double end = start + (a.work() == Work.FORWARD ? forward[s] : train[s]);
          times.add(new Timed(s, a, start, end));
          ends[s].put(a, end);
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

  /** When what an action needs is there; null if it is not planned yet. */
  private static Double ready(Action a, int stage, Map<Action, Double>[] ends, boolean returns) {
    if (a.work() == Work.FORWARD) {
      return stage == 0 ? Double.valueOf(0) : ends[stage - 1].get(a);
    }
    Action forward = new Action(Work.FORWARD, a.microBatch());
    return ends[returns ? ends.length - 1 : stage].get(forward);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Map<Action, Double>[] newMaps(int count) {
    Map[] maps = new Map[count];
    for (int i = 0; i < count; i++) {
      maps[i] = new HashMap<Action, Double>();
    }
    return maps;
  }
}
