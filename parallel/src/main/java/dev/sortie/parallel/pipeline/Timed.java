package dev.sortie.parallel.pipeline;

/**
 * An action with its time.
 *
 * @param stage who does it
 * @param action what
 * @param start in seconds
 * @param end in seconds
 */
public record Timed(int stage, Action action, double start, double end) {}
