/**
 * Decoding on several ranks, each with some of the layers: what stages do, what they tell each
 * other, and who drives them. The layers themselves are run by {@code pass}; here belongs only what
 * crosses ranks. Uses {@code decode} itself, {@code sampling}, {@code policy}, {@code pass} and the
 * checks of {@code single}; nothing in it may depend on when a message comes, but speed.
 */
package dev.sortie.eetuning.decode.pipeline;
