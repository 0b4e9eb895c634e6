package dev.sortie.eetuning.train;

import dev.sortie.nn.InputException;
import java.nio.file.Path;

/**
 * How a loop runs. None of it changes the result.
 *
 * @param out folder of the run
 * @param steps steps in all
 * @param checkpointEvery steps between checkpoints
 * @param validateEvery steps between validations
 */
public record LoopOptions(Path out, int steps, int checkpointEvery, int validateEvery) {
  public LoopOptions {
    positive("--steps", steps);
    positive("--checkpoint-every", checkpointEvery);
    positive("--validate-every", validateEvery);
  }

  private static void positive(String option, int value) {
    if (value < 1) {
      throw new InputException(option + " " + value + " must be at least 1");
    }
  }
}
