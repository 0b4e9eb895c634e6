package dev.sortie.eetuning.train;

/** What the command line and the library take where nothing else is asked for. */
public final class TrainingDefaults {
  /** Optimiser steps. */
  public static final int STEPS = 1000;

  /** Tokens predicted per sequence. */
  public static final int LENGTH = 256;

  /** Sequences per forward and backward pass, and per step. */
  public static final int BATCH = 8;

  /** Peak of the learning rate. */
  public static final double LEARNING_RATE = 1e-3;

  /** Share of the data that is held out for validation. */
  public static final double HELD_OUT = 0.01;

  /** Seed of the order of the data. */
  public static final long SEED = 1;

  /** Tokens on which probes are fitted after tuning. */
  public static final int GATE_TOKENS = 16384;

  /** Steps between checkpoints. */
  public static final int CHECKPOINT_EVERY = 100;

  /** Checkpoints that are kept. */
  public static final int KEPT_CHECKPOINTS = 2;

  /** Steps between validations. */
  public static final int VALIDATE_EVERY = 250;

  private TrainingDefaults() {}

  /** Last learning rate of a schedule. */
  public static double floor(double peak) {
    return peak / 10;
  }

  /** Steps of warm-up. */
  public static int warmup(int steps) {
    return Math.max(1, steps / 100);
  }
}
