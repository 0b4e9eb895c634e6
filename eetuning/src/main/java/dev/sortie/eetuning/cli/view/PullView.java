package dev.sortie.eetuning.cli.view;

import dev.sortie.nn.hub.PullListener;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** Progress of a pull: which file, how much of it, how fast. */
public final class PullView implements PullListener, AutoCloseable {
  private static final long KIB = 1 << 10;
  private static final double MIB = 1 << 20;

  private final PrintStream out;
  private final long started = System.nanoTime();
  private long atStart = -1;
  private ProgressLine line;

  public PullView(PrintStream out) {
    this.out = out;
  }

  @Override
  public void planned(List<String> files, long bytes, long present) {
    out.printf(
        Locale.ROOT,
        "%d files, %.1f MiB, of which %.1f MiB are here%n",
        files.size(),
        bytes / MIB,
        present / MIB);
    if (bytes > present) {
      line = ProgressLine.start("pull (KiB)", Math.ceilDiv(bytes, KIB), out);
    }
  }

  @Override
  public void progress(String file, long fileDone, long fileBytes, long done) {
    if (line == null) {
      return; // an index, which must be here before the plan can be made
    }
    if (atStart < 0) {
      atStart = done; // what was here before says nothing of the network
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    line.step(
        Math.ceilDiv(done, KIB),
        String.format(
            Locale.ROOT,
            "%s %.1f of %.1f MiB, %.1f MiB/s",
            file,
            fileDone / MIB,
            fileBytes / MIB,
            Math.max(0, done - atStart) / MIB / Math.max(seconds, 1e-3)));
  }

  @Override
  public void note(String text) {
    if (line == null) {
      out.println(text);
    } else {
      line.note(text);
    }
  }

  @Override
  public void close() {
    if (line != null) {
      line.close();
    }
  }
}
