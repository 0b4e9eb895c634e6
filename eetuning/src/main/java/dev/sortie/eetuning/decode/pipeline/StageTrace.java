package dev.sortie.eetuning.decode.pipeline;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** When each stage of a decoding pipeline did what. */
final class StageTrace {
  private static final int NUMBERS = 4;

  private final int kept;
  private final Deque<StageTime> last = new ArrayDeque<>();

  /**
   * @param kept times to remember, the same on all ranks
   */
  StageTrace(int kept) {
    this.kept = kept;
  }

  /** Notes what was done from {@code start} until now, in nanoseconds. */
  void note(int stage, StageCommand command, long start) {
    StageTime.Work work =
        switch (command) {
          case StageCommand.Prompt p -> StageTime.Work.PROMPT;
          case StageCommand.Tokens t ->
              t.rows().stream().anyMatch(StageCommand.Row::wanted)
                  ? StageTime.Work.TOKEN
                  : StageTime.Work.FILL;
          case StageCommand.Fill f -> StageTime.Work.FILL;
          case StageCommand.Close c -> null;
          case StageCommand.Stop s -> null;
        };
    if (work == null || kept == 0) {
      return;
    }
    int rows = command instanceof StageCommand.Tokens t ? t.rows().size() : 1;
    last.add(new StageTime(stage, work, rows, start * 1e-9, System.nanoTime() * 1e-9));
    if (last.size() > kept) {
      last.remove();
    }
  }

  /**
   * The times of all stages on one clock: that of each rank counts from a barrier, for clocks of
   * different machines have nothing in common. A collective call.
   */
  List<StageTime> gathered(StageLinks links) {
    if (kept == 0) {
      return List.of();
    }
    links.barrier();
    double zero = System.nanoTime() * 1e-9;
    long[] table = new long[kept * NUMBERS];
    int at = 0;
    for (StageTime t : last) {
      table[at++] = 1 + t.work().ordinal();
      table[at++] = t.rows();
      table[at++] = Double.doubleToRawLongBits(t.start() - zero);
      table[at++] = Double.doubleToRawLongBits(t.end() - zero);
    }
    long[] all = links.gathered(table);
    List<StageTime> times = new ArrayList<>();
    for (int i = 0; i < all.length; i += NUMBERS) {
      if (all[i] > 0) {
        times.add(
            new StageTime(
                i / table.length,
                StageTime.Work.values()[(int) all[i] - 1],
                (int) all[i + 1],
                Double.longBitsToDouble(all[i + 2]),
                Double.longBitsToDouble(all[i + 3])));
      }
    }
    return times;
  }
}
