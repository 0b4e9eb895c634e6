package dev.sortie.eetuning.exit;

import dev.sortie.tensor.Tensor;

/**
 * What a layer of the backbone leaves, for exits and the layers above to read.
 *
 * @param x its output, {@code [B, T, C]}
 * @param a the residual after its attention, {@code [B, T, C]}
 */
public record HiddenState(Tensor x, Tensor a) {}
