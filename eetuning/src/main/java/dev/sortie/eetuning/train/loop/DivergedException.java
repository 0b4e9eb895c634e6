package dev.sortie.eetuning.train.loop;

import dev.sortie.nn.InputException;
import java.util.OptionalInt;

/** A loss or a weight is no longer a number. */
public final class DivergedException extends InputException {
  private static final long serialVersionUID = 1L;

  /**
   * What is said of it.
   *
   * @param step that was done
   * @param what is no number, and its value
   * @param kept step of the newest checkpoint, from which the same options would come to the same
   */
  DivergedException(int step, String what, OptionalInt kept) {
    super(
        "step %d: %s: training diverged; ".formatted(step, what)
            + (kept.isPresent()
                ? "lower --lr and give another --out, this one keeps the checkpoint after step "
                    + kept.getAsInt()
                : "lower --lr; there is no checkpoint yet"));
  }
}
