package dev.sortie.parallel.launch;

import static java.lang.System.Logger.Level.DEBUG;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Ends the ranks, and all that they have started, when the launcher cannot, for it was killed: a
 * shell that reads the ranks' process numbers from a pipe whose other end only the launcher holds.
 * If the pipe ends before the launcher has said that all is well, the shell asks them to end, and
 * kills them after the grace.
 *
 * <p>What a rank has started is known by its environment, which names the launcher, and that Linux
 * shows; elsewhere the ranks alone are ended. A tree of parents would lose what stands below a
 * process that has ended.
 *
 * <p>Where there is no POSIX shell nothing guards; ranks that talk to each other watch the launcher
 * themselves.
 */
final class OrphanGuard implements AutoCloseable {
  private static final Path SHELL = Path.of("/bin/sh");

  /**
   * $1: the grace in seconds; $2: what the environment of all processes of the job has. A process
   * number may be someone else's after its rank has ended.
   */
  private static final String SCRIPT =
      """
      trap '' HUP INT TERM PIPE
      left=$1
      mark=$2
      ranks=
      living() {
        for process in $ranks $(grep -lsxzF "$mark" /proc/[0-9]*/environ | tr -dc '0-9\\n'); do
          kill -0 "$process" && echo "$process"
        done
      }
      signal() {
        all=$(living)
        [ -n "$all" ] || return 1
        kill "-$1" $all || true # one may have ended just now
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
      signal TERM
      while [ "$left" -gt 0 ] && [ -n "$(living)" ]; do
        sleep 1
        left=$((left - 1))
      done
      tries=5
      while [ "$tries" -gt 0 ] && signal KILL; do
        sleep 1
        tries=$((tries - 1))
      done
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
    String mark = RankEnvironment.LAUNCHER + "=" + ProcessHandle.current().pid();
    ProcessBuilder shell =
        new ProcessBuilder(SHELL.toString(), "-c", SCRIPT, "sortie-guard", seconds, mark)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    shell.environment().remove(RankEnvironment.LAUNCHER); // that of a job around this one
    try {
      return new OrphanGuard(shell.start().outputWriter());
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
