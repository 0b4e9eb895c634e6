package dev.sortie.eetuning.plot;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A loss at a step.
 *
 * @param step optimiser steps done, 0 or more
 * @param loss mean loss, nats per token; finite
 */
public record LossPoint(int step, double loss) {
  public LossPoint {
    if (step < 0) {
      throw new IllegalArgumentException("loss step is " + step + ", expected at least 0");
    }
    if (!Double.isFinite(loss)) {
      throw new IllegalArgumentException(
          "loss at step " + step + " is " + loss + ", expected a finite number");
    }
  }

  /** A run's losses, that of each step in order, as the points of a curve from step 1 on. */
  public static List<LossPoint> series(List<Double> losses) {
    return IntStream.range(0, losses.size())
        .mapToObj(i -> new LossPoint(i + 1, losses.get(i)))
        .toList();
  }
}
