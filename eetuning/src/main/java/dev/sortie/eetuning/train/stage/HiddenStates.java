package dev.sortie.eetuning.train.stage;

import dev.sortie.tensor.Tensor;

/**
 * What the backbone left at one depth.
 *
 * @param x the hidden state, {@code [B, T, C]}
 * @param a the residual after the layer's attention, {@code [B, T, C]}
 */
public record HiddenStates(Tensor x, Tensor a) {}
