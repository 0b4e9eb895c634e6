/**
 * Decoding that guesses tokens and verifies them in one pass: where guesses come from, how many are
 * made, and what came of them. Uses {@code decode} itself and {@code pass}.
 */
package dev.sortie.eetuning.decode.speculative;
