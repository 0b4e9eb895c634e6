/**
 * Arrays: a {@link dev.sortie.tensor.Tensor} is a view of off-heap storage with a shape. Random
 * numbers are keyed by seed and position, so that they do not depend on who draws them. Nothing
 * here computes: kernels are below, ops in {@code autograd} above.
 */
package dev.sortie.tensor;
