/**
 * Decoding, one text at a time: what a strategy and a drafter promise, and the loop that chooses
 * token after token until the text ends. Its types are the seam of all ways of decoding, held by
 * {@code DecodingStrategyContractTest} and {@code DecodingPositionContractTest}: a new way adds a
 * row to {@code DecodingWays}. Uses {@code sampling} and knows no way of decoding; all other
 * packages of decoding may use this one.
 */
package dev.sortie.eetuning.decode;
