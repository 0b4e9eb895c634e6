package dev.sortie.parallel.pipeline;

/**
 * One thing that a stage does.
 *
 * @param work what
 * @param microBatch its number in the stream, from 0
 * @param chunk with which of the stage's chunks of layers, from 0; see {@link Chain}
 */
public record Action(Work work, long microBatch, int chunk) {

  /** Of a stage with one chunk. */
  public Action(Work work, long microBatch) {
    this(work, microBatch, 0);
  }
}
