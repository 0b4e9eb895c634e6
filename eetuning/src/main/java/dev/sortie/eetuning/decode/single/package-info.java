/**
 * Strategies that read one token of one sequence after the other: the full depth, and early exits
 * with an exact cache. Uses {@code decode} itself, {@code policy} and {@code pass}.
 */
package dev.sortie.eetuning.decode.single;
