/** How a token is chosen from logits. Uses no other package of decoding. */
package dev.sortie.eetuning.decode.sampling;
