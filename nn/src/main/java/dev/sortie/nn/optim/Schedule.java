package dev.sortie.nn.optim;

import dev.sortie.nn.InputException;

/**
 * Learning rate by step: linear warm-up, then decay to a fraction of the peak.
 *
 * @param peak highest rate
 * @param floor rate at the end, not above {@code peak}
 * @param warmup steps of warm-up
 * @param steps steps in all
 * @param decay how it falls
 */
public record Schedule(double peak, double floor, int warmup, int steps, Decay decay) {

  /** Shape of the decay. */
  public enum Decay {
    /** Half a cosine. */
    COSINE,
    /** A straight line. */
    LINEAR,
    /** No decay. */
    CONSTANT
  }

  /** Refuses rates and steps that do not fit together. */
  public Schedule {
    if (!(peak > 0) || !(floor >= 0) || floor > peak) {
      throw new InputException(
          "learning rate " + peak + " must be positive and not below its floor " + floor);
    }
    if (steps < 1 || warmup < 0 || warmup > steps) {
      throw new InputException(
          "warm-up of " + warmup + " steps does not fit in " + steps + " steps");
    }
  }

  /** The rate of a step, counted from 0. */
  public double at(int step) {
    if (step < warmup) {
      return peak * (step + 1) / warmup;
    }
    double done = steps == warmup ? 1 : Math.min(1, (double) (step - warmup) / (steps - warmup));
    return switch (decay) {
      case COSINE -> floor + (peak - floor) * 0.5 * (1 + StrictMath.cos(Math.PI * done));
      case LINEAR -> peak + (floor - peak) * done;
      case CONSTANT -> peak;
    };
  }
}
