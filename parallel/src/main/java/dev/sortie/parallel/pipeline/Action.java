package dev.sortie.parallel.pipeline;

/**
 * One thing that a stage does.
 *
 * @param work what
 * @param microBatch its number in the stream, from 0
 */
public record Action(Work work, long microBatch) {}
