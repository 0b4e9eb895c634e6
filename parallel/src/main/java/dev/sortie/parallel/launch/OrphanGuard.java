package dev.sortie.parallel.launch;

import static java.lang.System.Logger.Level.DEBUG;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Ends the ranks when the launcher cannot, for it was killed: a shell that reads their process
 * numbers from a pipe whose other end only the launcher holds. If the pipe ends before the launcher
 * has said that all is well, the shell asks the ranks to end, and kills them after the grace.
 *
 * <p>Where there is no POSIX shell nothing guards; ranks that talk to each other watch the launcher
 * themselves.
 */
final class OrphanGuard implements AutoCloseable {
  private static final Path SHELL = Path.of("/bin/sh");

  /** $1: the grace in seconds. A process number may be someone else's after its rank has ended. */
  private static final String SCRIPT =
      """
      trap '' HUP INT TERM PIPE
      ranks=
      some_live() {
        for rank in $ranks; do
          kill -0 "$rank" && return 0
        done
        return 1
      }
      while read -r word process; do
        case $word in
          started) ranks="$ranks $process" ;;
          ended)
            others=
            for rank in $ranks; do
              [ "$rank" = "$process" ] || others="$others $rank"
            done
            ranks=$others
            ;;
          done) exit 0 ;;
        esac
      done
      [ -n "$ranks" ] || exit 0
      kill -TERM $ranks
      left=$1
      while [ "$left" -gt 0 ] && some_live; do
        sleep 1
        left=$((left - 1))
      done
      kill -KILL $ranks
      """;

  private static final System.Logger LOG = System.getLogger(OrphanGuard.class.getName());

  private final Writer pipe;

  private OrphanGuard(Writer pipe) {
    this.pipe = pipe;
  }

  static OrphanGuard start(Duration grace) {
    if (!Files.isExecutable(SHELL)) {
      return new OrphanGuard(Writer.nullWriter());
    }
    String seconds = Long.toString(Math.max(1, grace.toSeconds()));
    try {
      return new OrphanGuard(
          new ProcessBuilder(List.of(SHELL.toString(), "-c", SCRIPT, "sortie-guard", seconds))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .outputWriter());
    } catch (IOException e) {
      throw new InputException("cannot start " + SHELL + " to guard ranks: " + e.getMessage(), e);
    }
  }

  void watch(Process rank) {
    tell("started " + rank.pid());
    rank.onExit().thenRun(() -> tell("ended " + rank.pid()));
  }

  private synchronized void tell(String line) {
    try {
      pipe.write(line + "\n");
      pipe.flush();
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "the guard is gone: " + e.getMessage()); // the job continues without it
    }
  }

  @Override
  public void close() {
    tell("done");
    try {
      pipe.close();
    } catch (IOException e) {
      LOG.log(DEBUG, () -> "the guard is gone: " + e.getMessage());
    }
  }
}
