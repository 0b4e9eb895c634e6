/**
 * Many texts at once: one pass for a token of each, pages of cache that they share, and the
 * scheduler of requests. Uses {@code decode} itself, {@code sampling}, {@code policy}, {@code pass}
 * and the checks of {@code single}.
 */
package dev.sortie.eetuning.decode.batch;
