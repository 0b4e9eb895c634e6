/**
 * Decoding on several ranks, each with some of the layers: what stages do, what they tell each
 * other, and who drives them. Uses {@code decode} itself, {@code sampling}, {@code policy}, {@code
 * pass} and the checks of {@code single}.
 */
package dev.sortie.eetuning.decode.pipeline;
