package dev.sortie.eetuning.train;

import dev.sortie.eetuning.train.loop.TrainLoop;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** Stops a loop after so many steps of a run, those before a resume included. */
class StopAfter implements TrainLoop.Listener, BooleanSupplier {
  private final int steps;
  private int done;

  StopAfter(int steps) {
    this.steps = steps;
  }

  @Override
  public void resumed(int step) {
    done = step;
  }

  @Override
  public void step(int step, Map<String, Double> losses, double rate) {
    done = step;
  }

  @Override
  public boolean getAsBoolean() {
    return done >= steps;
  }
}
