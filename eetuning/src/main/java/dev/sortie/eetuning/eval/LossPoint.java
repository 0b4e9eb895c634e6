package dev.sortie.eetuning.eval;

/**
 * A loss at a step.
 *
 * @param step optimiser steps done, 0 or more
 * @param loss mean loss, nats per token; finite
 */
public record LossPoint(int step, double loss) {
  public LossPoint {
    Checks.atLeast("loss step", step, 0);
    Checks.finite("loss at step " + step, loss);
  }
}
