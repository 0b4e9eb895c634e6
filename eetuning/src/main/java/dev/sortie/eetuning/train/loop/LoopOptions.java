package dev.sortie.eetuning.train.loop;

import dev.sortie.eetuning.train.TrainingDefaults;
import dev.sortie.nn.UsageException;
import java.nio.file.Path;

/**
 * How a loop runs. None of it changes the result.
 *
 * @param out folder of the run
 * @param steps steps in all
 * @param checkpointEvery steps between checkpoints
 * @param validateEvery steps between validations
 * @param keepCheckpoints how many of the last checkpoints stay
 * @param asyncCheckpoints whether checkpoints on the way are written while the next steps run, from
 *     a copy
 */
public record LoopOptions(
    Path out,
    int steps,
    int checkpointEvery,
    int validateEvery,
    int keepCheckpoints,
    boolean asyncCheckpoints) {
  /** The last two checkpoints stay, and each step waits until its checkpoint is written. */
  public LoopOptions(Path out, int steps, int checkpointEvery, int validateEvery) {
    this(out, steps, checkpointEvery, validateEvery, TrainingDefaults.KEPT_CHECKPOINTS, false);
  }

  public LoopOptions {
    positive("--keep-checkpoints", keepCheckpoints);
    positive("--steps", steps);
    positive("--checkpoint-every", checkpointEvery);
    positive("--validate-every", validateEvery);
  }

  private static void positive(String option, int value) {
    if (value < 1) {
      throw new UsageException(option + " " + value + " must be at least 1");
    }
  }
}
