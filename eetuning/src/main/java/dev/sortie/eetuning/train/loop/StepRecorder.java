package dev.sortie.eetuning.train.loop;

import java.util.Map;
import java.util.function.Consumer;

/**
 * Keeps a record of the steps of a run. Each rank has one, and its methods are collective calls: a
 * recorder may exchange what ranks hold.
 */
public interface StepRecorder {
  /** Records nothing. */
  StepRecorder NONE =
      new StepRecorder() {
        @Override
        public void begin(int done) {}

        @Override
        public Consumer<Map<String, Double>> computed(int done) {
          return losses -> {};
        }
      };

  /**
   * The run begins, or resumes.
   *
   * @param done steps before
   */
  void begin(int done);

  /**
   * A step has been computed, and the next one has not begun: parameters are those after it.
   *
   * @param done steps, this one included
   * @return takes the losses of the step once they are known, before any checkpoint of it
   */
  Consumer<Map<String, Double>> computed(int done);
}
