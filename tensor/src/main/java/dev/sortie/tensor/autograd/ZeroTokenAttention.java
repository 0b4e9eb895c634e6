package dev.sortie.tensor.autograd;

import dev.sortie.tensor.Tensor;

/**
 * What attention with a zero token gives.
 *
 * @param out {@code [B, T, H, D]}
 * @param share what the zero token took of each softmax, {@code [B, T, H]}, from 0 to 1
 */
public record ZeroTokenAttention(Tensor out, Tensor share) {}
