package dev.sortie.parallel.pipeline;

import java.util.List;
import java.util.function.Consumer;

/**
 * Carries out a schedule.
 *
 * @param stage this one
 * @param work what its actions do
 * @param trace takes the time of each, in seconds of {@link System#nanoTime}
 */
public record Runner(int stage, StageWork work, Consumer<Timed> trace) {

  /** What a stage does in an action. */
  public interface StageWork {
    /** See {@link Work#FORWARD}. */
    void forward(long microBatch);

    /** See {@link Work#TRAIN}. */
    void train(long microBatch);
  }

  /** Does these actions one after another. */
  public void run(List<Action> actions) {
    for (Action action : actions) {
      double start = System.nanoTime() * 1e-9;
      switch (action.work()) {
        case FORWARD -> work.forward(action.microBatch());
        case TRAIN -> work.train(action.microBatch());
      }
      trace.accept(new Timed(stage, action, start, System.nanoTime() * 1e-9));
    }
  }
}
