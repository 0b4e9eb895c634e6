package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.eval.SchedulePlot;
import dev.sortie.eetuning.train.rank.Team;
import dev.sortie.eetuning.train.stage.ScheduleTrace;
import dev.sortie.parallel.pipeline.Timed;
import java.nio.file.Path;
import java.util.List;

/** Draws the last steps of a pipeline. */
final class ScheduleView {
  private final Team team;
  private final int steps;
  private final int rounds;
  private final ScheduleTrace trace;

  /**
   * @param steps to draw
   * @param rounds micro-batches of a step on each replica
   * @param chunks of each stage
   */
  ScheduleView(int steps, int rounds, int chunks, Team team) {
    this.team = team;
    this.steps = steps;
    this.rounds = rounds;
    this.trace = new ScheduleTrace(2 * rounds * chunks * steps);
  }

  /** Hears of what this rank's stage does. */
  ScheduleTrace trace() {
    return trace;
  }

  /** The planned timeline. */
  @FunctionalInterface
  interface Planned {
    /**
     * @param seconds that it takes in all
     */
    List<Timed> timeline(int steps, int rounds, double seconds);
  }

  /** Rank 0 draws; a run that was done before has nothing to show. A collective call. */
  void draw(Path file, Planned plan) {
    List<Timed> measured = trace.gathered(team);
    if (!team.leads() || measured.isEmpty()) {
      return;
    }
    double start = measured.stream().mapToDouble(Timed::start).min().orElseThrow();
    double end = measured.stream().mapToDouble(Timed::end).max().orElseThrow();
    SchedulePlot.write(
        file,
        "Stages of the pipeline, %d %s of %d micro-batches"
            .formatted(steps, steps == 1 ? "step" : "steps", rounds),
        plan.timeline(steps, rounds, end - start),
        measured);
  }
}
