/**
 * Many texts at once: one pass for a token of each, pages of cache that they share, and the
 * scheduler of requests. What a request gets must depend on nothing but itself. Uses {@code decode}
 * itself, {@code sampling}, {@code policy}, {@code pass}, and of {@code single} the checks and the
 * text with drafts; it does not know how a row finds its way through layers.
 */
package dev.sortie.eetuning.decode.batch;
