package dev.sortie.eetuning.train;

import dev.sortie.eetuning.train.audit.StepWitness;
import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.eetuning.train.loop.StepRecorder;
import dev.sortie.eetuning.train.loop.TrainLoop;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.parallel.mesh.Mesh;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Training of something tiny by ranks that are threads or processes. Each run is what new processes
 * do: every rank makes what it needs and resumes from the checkpoints in the folder.
 */
sealed interface TinyTraining permits TinyTuning, TinyPretraining {
  /** Steps of a run, where nothing else is said. */
  int STEPS = 6;

  /** How one run ended. */
  record Result(String sha256, TrainLoop.Outcome outcome) {}

  /** What a rank does on the way. */
  interface Hook {
    /** Nothing. */
    Hook NONE = (groups, step) -> {};

    /** After each step, before any checkpoint of it. */
    void after(ProcessGroups groups, int step);

    /** What keeps a record of the steps. */
    default StepRecorder recorder(StepWitness witness) {
      return StepRecorder.NONE;
    }

    /** At a moment of a checkpoint. */
    default void saving(ProcessGroups groups, int step, CheckpointListener.Moment moment) {}
  }

  /** Steps of the whole run. */
  int steps();

  /** Whether ranks that share weights share out the tokens too. */
  boolean sequence();

  /** What one rank does; the hash is rank 0's, of a run that was finished. */
  Result rank(Path out, ProcessGroups groups, int stopAt, Hook hook);

  /**
   * Makes the job of one rank, which has done no step yet, and uses it.
   *
   * @param groups stay open
   */
  <T> T onJob(ProcessGroups groups, Function<StepWitness, T> use);

  /** The hash of what a finished run has left. */
  String sha256(Path out);

  /** The words by which {@link #of} makes the same in another process. */
  List<String> words();

  /** What {@link #words} of another process say. */
  static TinyTraining of(List<String> words) {
    List<String> rest = words.subList(1, words.size());
    return words.getFirst().equals(TinyTuning.WORD)
        ? TinyTuning.of(rest)
        : TinyPretraining.of(rest);
  }

  /** Runs to the end and leaves the result in {@code out}. */
  default Result run(Path out, Mesh mesh) throws Exception {
    return run(out, mesh, steps());
  }

  /** Runs until {@code stopAt} steps are done, or to the end. */
  default Result run(Path out, Mesh mesh, int stopAt) throws Exception {
    return run(out, mesh, stopAt, Hook.NONE);
  }

  /** As above, with something that happens on the way. */
  default Result run(Path out, Mesh mesh, int stopAt, Hook hook) throws Exception {
    return TinyRanks.run(mesh, TinyRanks.Joining.THREADS, groups -> rank(out, groups, stopAt, hook))
        .getFirst();
  }

  /** Runs to the end; what each rank has then, by rank. The hash is rank 0's. */
  default List<Result> all(Path out, Mesh mesh, TinyRanks.Joining joining) throws Exception {
    return TinyRanks.run(mesh, joining, groups -> rank(out, groups, steps(), Hook.NONE));
  }

  /** Two replicas, of which the second was started with another command. */
  default Result runAlongside(TinyTraining other, Path out) throws Exception {
    return TinyRanks.run(
            new Mesh(1, 2, 1),
            TinyRanks.Joining.THREADS,
            groups -> (groups.leads() ? this : other).rank(out, groups, steps(), Hook.NONE))
        .getFirst();
  }

  /** Stops a loop after some steps, and calls a hook on the way. */
  static StopAfter stop(ProcessGroups groups, int stopAt, Hook hook) {
    return new StopAfter(stopAt) {
      @Override
      public void step(int step, Map<String, Double> losses, double rate) {
        super.step(step, losses, rate);
        hook.after(groups, step);
      }

      @Override
      public void saving(int step, CheckpointListener.Moment moment) {
        hook.saving(groups, step, moment);
      }
    };
  }
}
