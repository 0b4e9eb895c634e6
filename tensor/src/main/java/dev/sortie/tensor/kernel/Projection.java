package dev.sortie.tensor.kernel;

import dev.sortie.tensor.memory.Span;

/**
 * One of several weights that meet the same rows, see {@link Kernels#linears}.
 *
 * @param w {@code [n, k]}
 * @param bias {@code [n]}, or null
 * @param y the result, {@code [m, n]}
 * @param n outputs
 */
public record Projection(Span w, Span bias, Span y, int n) {}
