package dev.sortie.tensor;

/**
 * What produced a tensor, if gradients flow through it. {@link Tensor} only carries it; the graph
 * is {@code tensor.autograd}'s.
 */
public interface Producer {}
