/**
 * Many texts at once: one pass for a token of each, pages of cache that they share, and the
 * scheduler of requests. What a request gets must depend on nothing but itself. Uses {@code decode}
 * itself, {@code sampling}, {@code policy}, {@code pass} and the checks of {@code single}; it does
 * not know how a row finds its way through layers.
 */
package dev.sortie.eetuning.decode.batch;
