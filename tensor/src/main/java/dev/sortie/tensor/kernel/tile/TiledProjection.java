package dev.sortie.tensor.kernel.tile;

import dev.sortie.tensor.memory.Span;

/**
 * One of several weights in tiles that meet the same rows.
 *
 * @param bias {@code [n]}, or null
 * @param y the result, {@code [m, n]}
 */
public record TiledProjection(TiledWeight w, Span bias, Span y) {}
