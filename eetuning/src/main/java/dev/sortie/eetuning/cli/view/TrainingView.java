package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.plot.LossPlot;
import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.nn.InputException;
import dev.sortie.nn.file.InputFiles;
import dev.sortie.nn.json.JsonLines;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/** Shows a training run on standard error, logs its steps, and draws its losses. */
public final class TrainingView implements TrainLoop.Listener, AutoCloseable {
  /** How every line of a log of steps begins. */
  public static final String STEP = "{\"step\":";

  private final String task;
  private final int steps;
  private final Path stepLog;
  private ProgressLine progress;

  /**
   * @param stepLog file that gets a line for each step, or null
   */
  public TrainingView(String task, int steps, Path stepLog) {
    this.task = task;
    this.steps = steps;
    this.stepLog = stepLog;
  }

  /** Prints a line of its own. */
  public void say(String line) {
    if (progress == null) {
      System.err.println(task + ": " + line);
    } else {
      progress.note(task + ": " + line);
    }
  }

  @Override
  public void resumed(int step) {
    say("resumes from the checkpoint after step " + step);
  }

  @Override
  public void skipped(String line) {
    say(line);
  }

  @Override
  public void step(int done, Map<String, Double> losses, double tokensPerSecond) {
    if (stepLog != null) {
      log(done, losses, tokensPerSecond);
    }
    if (progress == null) {
      progress = ProgressLine.start(task, steps, System.err);
    }
    progress.step(
        done, "loss" + show(losses) + String.format(Locale.ROOT, "  %,.0f tok/s", tokensPerSecond));
  }

  private void log(int done, Map<String, Double> losses, double tokensPerSecond) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", done); // first, as STEP says
    line.put("time", System.currentTimeMillis() / 1e3);
    line.put("losses", losses);
    line.put("tokens_per_second", tokensPerSecond);
    try {
      JsonLines.append(stepLog, line);
    } catch (IOException e) {
      throw new InputException(
          "--step-log %s: cannot be written: %s; check free space and permissions"
              .formatted(stepLog, InputFiles.reason(e)),
          e);
    }
  }

  @Override
  public void validated(int done, Map<String, Double> losses) {
    say("after step " + done + ": held-out loss" + show(losses));
  }

  private static String show(Map<String, Double> losses) {
    StringBuilder s = new StringBuilder();
    losses.forEach((name, loss) -> s.append(String.format(Locale.ROOT, "  %s: %.4f", name, loss)));
    return s.toString();
  }

  /** Says that a run was stopped and how to resume it. */
  public void stopped(TrainLoop.Outcome outcome) {
    say("stopped after " + outcome.history().steps() + " steps; the same command resumes");
  }

  /** Draws the losses of all steps. */
  public void plot(Path file, LossHistory history, String title) {
    SequencedMap<String, List<LossPlot.Point>> series = new LinkedHashMap<>();
    history.losses().forEach((name, list) -> series.put(name, LossPlot.Point.series(list)));
    LossPlot.write(file, series, title);
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
    }
  }
}
