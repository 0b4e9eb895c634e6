package dev.sortie.parallel.pipeline;

/** The kinds of work of a stage. */
public enum Work {
  /** Takes a micro-batch from the stage before, runs the layers, and passes it on. */
  FORWARD,
  /** Trains what the stage owns on a micro-batch that it has forwarded. */
  TRAIN,
  /**
   * Takes the gradient of what was passed on from the stage behind, runs the layers backward, and
   * passes the gradient of their input back.
   */
  BACKWARD
}
