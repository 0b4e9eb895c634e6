package dev.sortie.eetuning.train.loop;

import dev.sortie.nn.InputException;

/** A loss is no longer a number. */
public final class DivergedException extends InputException {
  private static final long serialVersionUID = 1L;

  DivergedException(String message) {
    super(message);
  }
}
