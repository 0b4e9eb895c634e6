package dev.sortie.eetuning.decode;

import dev.sortie.tensor.Tensor;

/**
 * What a layer leaves.
 *
 * @param x its output, {@code [1, T, C]}
 * @param a the residual after its attention, {@code [1, T, C]}
 */
public record HiddenState(Tensor x, Tensor a) {}
