package dev.sortie.parallel.pipeline;

/** What a stage computes in one action. */
public enum ComputationType {
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
