package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.eval.Demo;

/** Shows the phases of the demo on standard error, one progress line each. */
public final class DemoView implements Demo.Listener, AutoCloseable {
  private ProgressLine line;

  @Override
  public void phase(String name, long units) {
    finish();
    line = ProgressLine.start(name, units, System.err);
  }

  @Override
  public void progress(long done, String detail) {
    line.step(done, detail);
  }

  /** Ends the line of the phase that runs. */
  public void finish() {
    if (line != null) {
      line.close();
      line = null;
    }
  }

  @Override
  public void close() {
    finish();
  }
}
