package dev.sortie.eetuning.decode;

import java.util.OptionalInt;

/**
 * The outcome of reading a token.
 *
 * @param logits of the next token, {@code [V]}; valid until the next step
 * @param exit depth of the exit they come from; empty for the final layer
 * @param confidence largest probability of the softmax of these logits
 */
public record Step(float[] logits, OptionalInt exit, double confidence) {}
