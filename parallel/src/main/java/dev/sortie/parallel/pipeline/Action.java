package dev.sortie.parallel.pipeline;

/**
 * One thing that a stage does.
 *
 * @param type what
 * @param microBatch its number in the stream, from 0
 * @param chunk with which of the stage's chunks of layers, from 0; see {@link Chain}
 */
public record Action(ComputationType type, long microBatch, int chunk) {

  /** Of a stage with one chunk. */
  public Action(ComputationType type, long microBatch) {
    this(type, microBatch, 0);
  }
}
