package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.eval.TextScorer;

/** How far the scoring of a text is, on standard error. */
public final class ScoreProgress implements TextScorer.Progress, AutoCloseable {
  private ProgressLine line;

  /** Nothing is shown before the first window is read. */
  public ScoreProgress() {}

  @Override
  public void read(long tokens, long all) {
    if (line == null) {
      line = ProgressLine.start("score", all, System.err);
    }
    line.step(tokens, "");
  }

  @Override
  public void close() {
    if (line != null) {
      line.close();
    }
  }
}
