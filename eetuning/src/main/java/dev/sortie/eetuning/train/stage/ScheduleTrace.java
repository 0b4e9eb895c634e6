package dev.sortie.eetuning.train.stage;

import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.ComputationType;
import dev.sortie.parallel.pipeline.Timed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/** Remembers when a stage did its last actions. */
public final class ScheduleTrace implements Consumer<Timed> {
  private static final int NUMBERS = 5;

  private final int kept;
  private final Deque<Timed> last = new ArrayDeque<>();

  /**
   * @param kept actions to remember, the same on all ranks
   */
  public ScheduleTrace(int kept) {
    this.kept = kept;
  }

  @Override
  public void accept(Timed t) {
    last.add(t);
    if (last.size() > kept) {
      last.remove();
    }
  }

  /**
   * The actions of all stages of the first replica, of ranks that share weights the first one's, in
   * seconds on one clock: that of each rank counts from a barrier, for clocks of different machines
   * have nothing in common. A collective call.
   */
  public List<Timed> gathered(ProcessGroups groups) {
    groups.barrier();
    double zero = System.nanoTime() * 1e-9;
    double[] table = new double[groups.mesh().pp() * kept * NUMBERS];
    if (groups.coordinates().dp() == 0 && groups.coordinates().tp() == 0) {
      int at = groups.coordinates().pp() * kept * NUMBERS;
      for (Timed t : last) {
        table[at++] = 1 + t.action().type().ordinal();
        table[at++] = t.action().microBatch();
        table[at++] = t.action().chunk();
        table[at++] = t.start() - zero;
        table[at++] = t.end() - zero;
      }
    }
    double[] all = groups.merge(table);
    List<Timed> times = new ArrayList<>();
    for (int i = 0; i < all.length; i += NUMBERS) {
      if (all[i] > 0) {
        ComputationType work = ComputationType.values()[(int) all[i] - 1];
        Action action = new Action(work, (long) all[i + 1], (int) all[i + 2]);
        times.add(new Timed(i / (kept * NUMBERS), action, all[i + 3], all[i + 4]));
      }
    }
    return times;
  }
}
