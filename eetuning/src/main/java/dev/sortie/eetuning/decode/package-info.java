/**
 * Decoding, one text at a time: what a strategy promises, and the loop that chooses token after
 * token until the text ends. Uses {@code sampling}; all other packages of decoding may use this
 * one, and none of them is used here.
 */
package dev.sortie.eetuning.decode;
