/**
 * How a token is chosen from logits: greedy, or at random by seed and position. The same logits,
 * options and position give the same token, in any company. Uses no other package of decoding and
 * knows nothing of models.
 */
package dev.sortie.eetuning.decode.sampling;
