package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.decode.pipeline.StageTime;
import dev.sortie.eetuning.plot.TimelinePlot;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.eetuning.train.stage.ScheduleTrace;
import dev.sortie.parallel.pipeline.Action;
import dev.sortie.parallel.pipeline.Timed;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Draws what the stages of a pipeline do: the last steps of training, or decoding. */
public final class ScheduleView {
  private final ProcessGroups groups;
  private final int steps;
  private final int rounds;
  private final ScheduleTrace trace;

  /**
   * @param steps to draw
   * @param rounds micro-batches of a step on each replica
   * @param chunks of each stage
   */
  public ScheduleView(int steps, int rounds, int chunks, ProcessGroups groups) {
    this.groups = groups;
    this.steps = steps;
    this.rounds = rounds;
    this.trace = new ScheduleTrace(2 * rounds * chunks * steps);
  }

  /** Is told what this rank's stage does. */
  public ScheduleTrace trace() {
    return trace;
  }

  /** The planned timeline. */
  @FunctionalInterface
  public interface Planned {
    /**
     * @param seconds that it takes in all
     */
    List<Timed> timeline(int steps, int rounds, double seconds);
  }

  /** Rank 0 draws; a run that was done before has nothing to show. A collective call. */
  public void draw(Path file, Planned plan) {
    List<Timed> measured = trace.gathered(groups);
    if (!groups.leads() || measured.isEmpty()) {
      return;
    }
    double start = measured.stream().mapToDouble(Timed::start).min().orElseThrow();
    double end = measured.stream().mapToDouble(Timed::end).max().orElseThrow();
    // The plan counts from 0, the measurement from the start of the run.
    long first = afterLast(measured) - (long) steps * rounds;
    List<Timed> planned = plan.timeline(steps, rounds, end - start);
    TimelinePlot.write(
        file,
        "Stages of the pipeline, the last %s of %d micro-batches"
            .formatted(steps == 1 ? "step" : steps + " steps", rounds),
        planned.stream()
            .map(t -> t.action().type())
            .distinct()
            .sorted()
            .map(ScheduleView::word)
            .toList(),
        List.of(
            new TimelinePlot.Panel("planned", planned.stream().map(t -> bar(t, first)).toList()),
            new TimelinePlot.Panel("measured", measured.stream().map(t -> bar(t, 0)).toList())));
  }

  private static long afterLast(List<Timed> measured) {
    return measured.stream().mapToLong(t -> t.action().microBatch()).max().orElseThrow() + 1;
  }

  private static TimelinePlot.Bar bar(Timed t, long first) {
    String kind = word(t.action().type());
    String number = number(t.action(), first);
    String hint = hint(t.stage(), kind + " " + number, t.end() - t.start());
    return new TimelinePlot.Bar(t.stage(), t.start(), t.end(), kind, number, hint);
  }

  /** Micro-batch, and which of the stage's chunks where it is not the first: 3, 3b, 3c. */
  private static String number(Action action, long first) {
    String chunk = action.chunk() == 0 ? "" : String.valueOf((char) ('a' + action.chunk()));
    return first + action.microBatch() + chunk;
  }

  /** Draws what the stages of a decoding pipeline did, as measured. */
  public static void draw(Path file, List<StageTime> times) {
    List<TimelinePlot.Bar> bars =
        times.stream()
            .map(
                t -> {
                  String kind = word(t.work());
                  String hint =
                      hint(t.stage(), kind + ", " + t.rows() + " rows", t.end() - t.start());
                  return new TimelinePlot.Bar(t.stage(), t.start(), t.end(), kind, "", hint);
                })
            .toList();
    TimelinePlot.write(
        file,
        "Stages of the pipeline while decoding",
        Arrays.stream(StageTime.Work.values()).map(ScheduleView::word).toList(),
        List.of(new TimelinePlot.Panel("", bars)));
  }

  private static String hint(int stage, String what, double seconds) {
    return String.format(Locale.ROOT, "stage %d, %s: %.1f ms", stage, what, 1e3 * seconds);
  }

  private static String word(Enum<?> work) {
    return work.name().toLowerCase(Locale.ROOT);
  }
}
