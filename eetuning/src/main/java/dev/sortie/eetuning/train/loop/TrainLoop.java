package dev.sortie.eetuning.train.loop;

import dev.sortie.eetuning.train.LossHistory;
import dev.sortie.eetuning.train.TrainingJob;
import dev.sortie.eetuning.train.checkpoint.AsyncCheckpointWriter;
import dev.sortie.eetuning.train.checkpoint.Checkpoint;
import dev.sortie.eetuning.train.checkpoint.CheckpointListener;
import dev.sortie.eetuning.train.checkpoint.Checkpoints;
import dev.sortie.eetuning.train.rank.ConsistencyCheck;
import dev.sortie.eetuning.train.rank.ProcessGroups;
import dev.sortie.nn.load.Finite;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.memory.Span;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Runs a {@link TrainingJob} to its end: resumes from the newest checkpoint, validates and saves on
 * the way, and stops cleanly when asked.
 *
 * <p>Several ranks learn of the losses of a step, and of a wish to stop, while they do the next
 * one: so none waits for another but for what it computes with. A step that is followed by a
 * validation or a checkpoint is finished first.
 */
public final class TrainLoop {
  private final TrainingJob job;
  private final LoopOptions options;
  private final Kernels kernels;
  private final ProcessGroups groups;
  private final Listener listener;
  private final BooleanSupplier stop;
  private final StepRecorder recorder;

  /** Is told of progress. */
  public interface Listener extends CheckpointListener {
    /** Ignores everything. */
    Listener NONE = new Listener() {};

    /** A run resumes after {@code step} steps. */
    default void resumed(int step) {}

    /** A step is done. */
    default void step(int done, Map<String, Double> losses, double tokensPerSecond) {}

    /** A validation is done. */
    default void validated(int done, Map<String, Double> losses) {}
  }

  /**
   * How it ended.
   *
   * @param history losses of all steps, also those before a resume
   * @param finished false if it was stopped; run again to resume
   * @param tokensPerSecond mean over the steps of this call; 0 if there were none
   * @param steadyTokensPerSecond median over the later half of them: what it comes to once the JVM
   *     has compiled
   */
  public record Outcome(
      LossHistory history,
      boolean finished,
      double tokensPerSecond,
      double steadyTokensPerSecond) {}

  /**
   * A loop.
   *
   * @param stop asked after each step; true saves a checkpoint and ends the loop
   */
  public TrainLoop(
      TrainingJob job,
      LoopOptions options,
      Kernels kernels,
      Listener listener,
      BooleanSupplier stop) {
    this(job, options, kernels, ProcessGroups.single(), listener, stop);
  }

  /**
   * The loop of one of several ranks; all run it. The job's losses are the same on all of them.
   *
   * @param stop true on any rank stops all, after the step that is under way then
   */
  public TrainLoop(
      TrainingJob job,
      LoopOptions options,
      Kernels kernels,
      ProcessGroups groups,
      Listener listener,
      BooleanSupplier stop) {
    this(job, options, kernels, groups, listener, stop, StepRecorder.NONE);
  }

  /**
   * As above, with a record of each step.
   *
   * @param recorder on all ranks, or on none
   */
  public TrainLoop(
      TrainingJob job,
      LoopOptions options,
      Kernels kernels,
      ProcessGroups groups,
      Listener listener,
      BooleanSupplier stop,
      StepRecorder recorder) {
    this.job = job;
    this.options = options;
    this.kernels = kernels;
    this.groups = groups;
    this.listener = listener;
    this.stop = stop;
    this.recorder = recorder;
  }

  /** Runs until all steps are done or a stop is asked for. A failure ends all ranks. */
  public Outcome run() {
    try {
      return steps();
    } catch (RuntimeException | Error e) {
      groups.abort(String.valueOf(e.getMessage()));
      throw e;
    }
  }

  private Outcome steps() {
    new ConsistencyCheck(groups).check(job.fingerprint(), kernels);
    Checkpoints checkpoints =
        new Checkpoints(options.out(), groups, options.keepCheckpoints(), listener);
    Optional<Checkpoint> found = checkpoints.newest(job);
    LossHistory history =
        found
            .map(f -> Checkpoints.restore(f, job, kernels))
            .orElseGet(() -> new LossHistory(job.lossNames()));
    recorder.begin(history.steps());
    checkpoints.deleteTemporaries();
    if (found.isPresent()) {
      listener.resumed(found.get().step());
    }
    try (AsyncCheckpointWriter writer = new AsyncCheckpointWriter(checkpoints, groups, kernels)) {
      return steps(history, checkpoints, writer);
    }
  }

  private Outcome steps(
      LossHistory history, Checkpoints checkpoints, AsyncCheckpointWriter writer) {
    StepTimes times = new StepTimes(job.tokensPerStep());
    Optional<Step> before = Optional.empty();
    for (int i = history.steps(); i < options.steps(); i++) {
      Step step = new Step(i + 1, job.begin(i), recorder.computed(i + 1), times.lap());
      boolean stopping = before.isPresent() && finish(before.get(), history, checkpoints);
      boolean last = step.done == options.steps();
      boolean validates = step.done % options.validateEvery() == 0 || last;
      boolean saves = step.done % options.checkpointEvery() == 0 || last;
      if (!groups.isAlone() && !validates && !saves && !stopping) {
        step.wish = groups.startSum(stop.getAsBoolean() ? 1 : 0);
        before = Optional.of(step);
        writer.poll();
        continue;
      }
      before = Optional.empty();
      finish(step, history, checkpoints);
      writer.poll();
      if (validates) {
        validate(step.done, history, checkpoints);
      }
      stopping = !last && groups.any(stopping || stop.getAsBoolean());
      if (saves || stopping) {
        checkFinite(step.done, checkpoints);
        if (options.asyncCheckpoints() && !last && !stopping) {
          writer.start(step.done, job, history);
        } else {
          writer.finish();
          checkpoints.save(step.done, job, history);
        }
      }
      if (stopping) {
        return new Outcome(history, false, times.mean(), times.steady());
      }
      if (validates || saves) {
        times.start();
      }
    }
    return new Outcome(history, true, times.mean(), times.steady());
  }

  /** A step whose losses are not yet asked for. */
  private static final class Step {
    private final int done;
    private final Supplier<Map<String, Double>> losses;
    private final Consumer<Map<String, Double>> record;
    private final double seconds;

    /** How many ranks wish to stop. */
    private Supplier<long[]> wish = () -> new long[1];

    Step(
        int done,
        Supplier<Map<String, Double>> losses,
        Consumer<Map<String, Double>> record,
        double seconds) {
      this.done = done;
      this.losses = losses;
      this.record = record;
      this.seconds = seconds;
    }
  }

  /** Takes note of a step; true if some rank wished to stop after it. */
  private boolean finish(Step step, LossHistory history, Checkpoints checkpoints) {
    Map<String, Double> losses = step.losses.get();
    checkFinite(step.done, "loss", losses, checkpoints);
    step.record.accept(losses);
    history.add(losses);
    listener.step(step.done, losses, job.tokensPerStep() / step.seconds);
    return step.wish.get()[0] > 0;
  }

  private void validate(int done, LossHistory history, Checkpoints checkpoints) {
    Map<String, Double> v = job.validate();
    checkFinite(done, "held-out loss", v, checkpoints);
    if (!v.isEmpty()) {
      history.addValidation(done, v);
      listener.validated(done, v);
    }
  }

  private static void checkFinite(
      int done, String kind, Map<String, Double> losses, Checkpoints checkpoints) {
    losses.forEach(
        (name, loss) -> {
          if (!Double.isFinite(loss)) {
            throw new DivergedException(
                done, "%s %s is %s".formatted(kind, name, loss), checkpoints.kept());
          }
        });
  }

  /** No checkpoint is made of numbers from which no step leads on. */
  private void checkFinite(int done, Checkpoints checkpoints) {
    job.parts()
        .forEach(
            (name, part) -> {
              Span elements = part.tensor().span();
              long bad = Finite.firstBad(elements);
              if (bad >= 0) {
                throw new DivergedException(
                    done,
                    "element %d of %s is %s".formatted(bad, name, elements.get(bad)),
                    checkpoints.kept());
              }
            });
  }
}
