package dev.sortie.eetuning.train;

import dev.sortie.eetuning.TestJvm;
import dev.sortie.parallel.launch.Launcher;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.mesh.Mesh;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A rank of {@link TinyTuning} as a process of its own, which may kill itself on the way. */
final class TuneRank {
  private TuneRank() {}

  /**
   * Where a rank gets SIGKILL.
   *
   * @param rank which
   * @param step after this step
   * @param moment of this step's checkpoint; null: before it
   */
  record Kill(int rank, int step, SaveMoment moment) implements TinyTuning.Hook {
    static final Kill NEVER = new Kill(-1, 0, null);

    @Override
    public void after(Team team, int done) {
      if (moment == null) {
        at(team, done);
      }
    }

    @Override
    public void saving(Team team, int done, SaveMoment now) {
      if (now == moment) {
        at(team, done);
      }
    }

    private void at(Team team, int done) {
      if (team.rank().value() != rank || done != step) {
        return;
      }
      try {
        new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid())).start();
        Thread.sleep(60_000);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        throw new IllegalStateException("kill -9 left this process alive", e);
      }
    }
  }

  /**
   * Runs a job of such processes to its end.
   *
   * @param transport as in {@code SORTIE_TRANSPORT}, empty for shared memory
   * @param errors gets what they say
   * @return the exit code
   */
  static int launch(
      TinyTuning tuning, Path out, Mesh mesh, String transport, Kill kill, Queue<String> errors)
      throws InterruptedException {
    List<String> command =
        TestJvm.command(
            TuneRank.class,
            tuning.model().toString(),
            tuning.exits().toString(),
            tuning.objective().name(),
            String.valueOf(tuning.sequence()),
            out.toString(),
            String.valueOf(mesh.tp()),
            String.valueOf(mesh.dp()),
            String.valueOf(mesh.pp()),
            transport,
            String.valueOf(kill.rank),
            String.valueOf(kill.step),
            kill.moment == null ? "" : kill.moment.name());
    Launcher.Options options =
        new Launcher.Options(mesh.world(), command, 0, Duration.ofSeconds(10));
    return new Launcher(options, new ConcurrentLinkedQueue<String>()::add, errors::add).run();
  }

  public static void main(String[] words) {
    TinyTuning tuning =
        new TinyTuning(
            Path.of(words[0]),
            Path.of(words[1]),
            Objective.valueOf(words[2]),
            Boolean.parseBoolean(words[3]),
            TinyTuning.STEPS,
            t -> {});
    Mesh mesh =
        new Mesh(
            Integer.parseInt(words[5]), 1, Integer.parseInt(words[6]), Integer.parseInt(words[7]));
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put(Ranks.TRANSPORT, words[8]);
    Kill kill =
        new Kill(
            Integer.parseInt(words[9]),
            Integer.parseInt(words[10]),
            words[11].isEmpty() ? null : SaveMoment.valueOf(words[11]));
    Team team = Team.of(Ranks.join(environment), mesh);
    tuning.rank(Path.of(words[4]), team, tuning.steps(), kill);
  }
}
