package dev.sortie.eetuning.train;

import dev.sortie.eetuning.TestJvm;
import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.launch.Launcher;
import dev.sortie.parallel.launch.Ranks;
import dev.sortie.parallel.mesh.Mesh;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/** A rank of {@link TinyTraining} as a process of its own, which may kill itself on the way. */
final class TrainRank {
  private TrainRank() {}

  /**
   * Where a rank gets SIGKILL.
   *
   * @param rank which
   * @param step after this step
   * @param moment of this step's checkpoint; null: in the middle of the next step
   * @param delay milliseconds into the next step, where there is no moment; the step's end if that
   *     is sooner
   */
  record Kill(int rank, int step, CheckpointListener.Moment moment, int delay)
      implements TinyTraining.Hook {
    static final Kill NEVER = new Kill(-1, 0, null, 0);

    static Kill at(CheckpointListener.Moment moment, int step, int rank) {
      return new Kill(rank, step, moment, 0);
    }

    @Override
    public void after(ProcessGroups groups, int done) {
      if (moment != null || groups.rank().value() != rank) {
        return;
      }
      if (done == step) {
        Thread.ofPlatform().daemon().start(this::killLater);
      } else if (done == step + 1) {
        kill();
      }
    }

    private void killLater() {
      sleep(delay);
      kill();
    }

    @Override
    public void saving(ProcessGroups groups, int done, CheckpointListener.Moment now) {
      if (now == moment && done == step && groups.rank().value() == rank) {
        kill();
      }
    }

    private static void kill() {
      try {
        new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid())).start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      sleep(60_000);
      throw new IllegalStateException("kill -9 left this process alive");
    }

    private static void sleep(int milliseconds) {
      try {
        Thread.sleep(milliseconds);
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted before kill -9", e);
      }
    }

    private List<String> words() {
      return List.of(
          String.valueOf(rank),
          String.valueOf(step),
          moment == null ? "" : moment.name(),
          String.valueOf(delay));
    }

    private static Kill of(List<String> words) {
      return new Kill(
          Integer.parseInt(words.get(0)),
          Integer.parseInt(words.get(1)),
          words.get(2).isEmpty() ? null : CheckpointListener.Moment.valueOf(words.get(2)),
          Integer.parseInt(words.get(3)));
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
      TinyTraining training, Path out, Mesh mesh, String transport, Kill kill, Queue<String> errors)
      throws InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                out.toString(),
                String.valueOf(mesh.tp()),
                String.valueOf(mesh.dp()),
                String.valueOf(mesh.pp()),
                transport));
    words.addAll(kill.words());
    words.addAll(training.words());
    List<String> command = TestJvm.command(TrainRank.class, words.toArray(String[]::new));
    Launcher.Options options =
        new Launcher.Options(mesh.world(), command, 0, Duration.ZERO, Duration.ofSeconds(10));
    return new Launcher(options, _ -> {}, line -> errors.add(line.toString())).run();
  }

  public static void main(String[] arguments) {
    List<String> words = List.of(arguments);
    Mesh mesh =
        new Mesh(
            Integer.parseInt(words.get(1)),
            Integer.parseInt(words.get(2)),
            Integer.parseInt(words.get(3)));
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put(Ranks.TRANSPORT, words.get(4));
    Kill kill = Kill.of(words.subList(5, 9));
    TinyTraining training = TinyTraining.of(words.subList(9, words.size()));
    ProcessGroups groups = ProcessGroups.of(Ranks.join(environment), mesh);
    training.rank(Path.of(words.getFirst()), groups, training.steps(), kill);
  }
}
