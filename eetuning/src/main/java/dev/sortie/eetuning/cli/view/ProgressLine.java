package dev.sortie.eetuning.cli.view;

import dev.sortie.eetuning.display.SafeText;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Progress of long work: a bar that is redrawn in place on a terminal, a plain line every ten
 * seconds in a log. Made for standard error; results alone go to standard output.
 */
public abstract sealed class ProgressLine implements AutoCloseable {

  /**
   * Starts a line.
   *
   * @param task short name, such as "tune"
   * @param total steps in all, 1 or more
   * @param out standard error
   */
  public static ProgressLine start(String task, long total, PrintStream out) {
    if (total < 1) {
      throw new IllegalArgumentException(
          task + ": total steps are " + total + ", expected at least 1");
    }
    return TerminalStreams.errorIsTerminal()
        ? new Bar(task, total, out, TerminalStreams.columns())
        : new Log(task, total, out, System::nanoTime);
  }

  /**
   * {@code done} steps are done.
   *
   * @param detail losses, speed and the like, in a few words
   */
  public abstract void step(long done, String detail);

  /** Writes a line of its own, which stays; on a terminal the bar moves below it. */
  abstract void note(String line);

  /** Writes the final state. The work may have ended early. */
  @Override
  public abstract void close();

  /** On a terminal. */
  static final class Bar extends ProgressLine {
    private static final int REFRESH_MILLIS = 200;
    private static final String ERASE_LINE = "\u001b[K";

    private final PrintStream out;
    private final ProgressRate rate;
    private final ProgressBar bar;

    Bar(String task, long total, PrintStream out, int columns) {
      this.out = out;
      rate = new ProgressRate(total);
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(total)
              .setUpdateIntervalMillis(REFRESH_MILLIS)
              .setStyle(
                  out.charset().newEncoder().canEncode('█')
                      ? ProgressBarStyle.UNICODE_BLOCK
                      : ProgressBarStyle.ASCII)
              .setEtaFunction(state -> rate.left())
              .setConsumer(new Redrawn(out, columns))
              .build();
    }

    @Override
    public void step(long done, String detail) {
      rate.add(done, System.nanoTime());
      bar.setExtraMessage(" " + SafeText.visibleLine(detail));
      bar.stepTo(done);
    }

    @Override
    void note(String line) {
      // One call, so that the bar's own thread cannot draw in between.
      out.print("\r" + ERASE_LINE + SafeText.visibleLine(line) + System.lineSeparator());
      bar.refresh();
    }

    @Override
    public void close() {
      bar.close();
      out.println();
    }
  }

  /** Takes the library's drawn line; its own consumer would open the terminal by native code. */
  private record Redrawn(PrintStream out, int columns) implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      // A terminal wraps a line that fills it, and carriage return would then miss its start.
      return columns - 1;
    }

    @Override
    public void accept(String line) {
      out.print("\r" + line);
      out.flush();
    }

    /** Nothing: of a bar that ends before it was first drawn, the library does not tell the end. */
    @Override
    public void close() {}
  }

  /** In a log. */
  static final class Log extends ProgressLine {
    private static final long INTERVAL_NANOS = 10_000_000_000L;

    private final String task;
    private final long total;
    private final PrintStream out;
    private final LongSupplier clock;
    private final long started;
    private final ProgressRate rate;
    private long printed;
    private long done;
    private String detail = "";

    Log(String task, long total, PrintStream out, LongSupplier clock) {
      this.task = task;
      this.total = total;
      this.out = out;
      this.clock = clock;
      started = clock.getAsLong();
      printed = started;
      rate = new ProgressRate(total);
    }

    @Override
    public void step(long done, String detail) {
      long now = clock.getAsLong();
      this.done = done;
      this.detail = SafeText.visibleLine(detail);
      rate.add(done, now);
      if (now - printed >= INTERVAL_NANOS) {
        printed = now;
        print(rate.left().map(left -> hms(left) + " left").orElse("time left unknown"));
      }
    }

    @Override
    void note(String line) {
      out.println(SafeText.visibleLine(line));
      out.flush();
    }

    @Override
    public void close() {
      print("took " + hms(Duration.ofNanos(clock.getAsLong() - started)));
    }

    private void print(String time) {
      String line = "%s %s/%s (%s%%)".formatted(task, done, total, 100 * done / total);
      out.println(line + (detail.isEmpty() ? "" : ", " + detail) + ", " + time);
      out.flush();
    }

    private static String hms(Duration time) {
      long seconds = Math.round(time.toMillis() / 1000.0);
      return String.format(
          Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
  }
}
