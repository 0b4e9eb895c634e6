package dev.sortie.parallel.pipeline;

/** The kinds of work of a stage. */
public enum Work {
  /** Takes a micro-batch from the stage before, runs the layers, and passes it on. */
  FORWARD,
  /** Trains what the stage owns on a micro-batch that it has forwarded. */
  TRAIN
}
