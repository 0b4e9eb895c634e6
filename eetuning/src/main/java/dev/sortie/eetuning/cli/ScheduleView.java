package dev.sortie.eetuning.cli;

import dev.sortie.eetuning.eval.SchedulePlot;
import dev.sortie.eetuning.train.ScheduleTrace;
import dev.sortie.eetuning.train.StagePlan;
import dev.sortie.eetuning.train.Team;
import dev.sortie.eetuning.train.TuneOptions;
import dev.sortie.parallel.pipeline.Timed;
import java.nio.file.Path;
import java.util.List;

/** Draws the last steps of a pipeline. */
final class ScheduleView {
  /** More cannot be told apart in a picture. */
  private static final int STEPS = 3;

  private final Team team;
  private final int steps;
  private final int rounds;
  private final ScheduleTrace trace;

  ScheduleView(TuneOptions options, int steps, Team team) {
    this.team = team;
    this.steps = Math.min(STEPS, steps);
    this.rounds = options.microBatches() / team.mesh().dp();
    this.trace = new ScheduleTrace(2 * rounds * this.steps);
  }

  /** Hears of what this rank's stage does. */
  ScheduleTrace trace() {
    return trace;
  }

  /** Rank 0 draws; a run that was done before has nothing to show. A collective call. */
  void draw(Path file, StagePlan plan) {
    List<Timed> measured = trace.gathered(team);
    if (!team.leads() || measured.isEmpty()) {
      return;
    }
    double start = measured.stream().mapToDouble(Timed::start).min().orElseThrow();
    double end = measured.stream().mapToDouble(Timed::end).max().orElseThrow();
    SchedulePlot.write(
        file,
        "Stages of the pipeline, %d steps of %d micro-batches".formatted(steps, rounds),
        plan.timeline(steps, rounds, end - start),
        measured);
  }
}
