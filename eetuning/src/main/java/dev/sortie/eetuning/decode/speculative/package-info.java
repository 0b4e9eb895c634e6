/**
 * Speculative decoding: where drafts come from, how long they are, what came of them, and lossless
 * decoding by verification in one pass. A new source implements {@code DraftSource} and has a word
 * in {@code DraftSources}. Uses {@code decode} itself and {@code pass}; nothing in it may choose a
 * token.
 */
package dev.sortie.eetuning.decode.speculative;
