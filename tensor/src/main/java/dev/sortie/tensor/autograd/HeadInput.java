package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;

/**
 * What logits are made of: {@code x Wᵀ}.
 *
 * @param x hidden states {@code [.., C]}
 * @param w head {@code [V, C]}
 */
public record HeadInput(Tensor x, Tensor w) {}
