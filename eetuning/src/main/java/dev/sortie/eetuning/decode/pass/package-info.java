/**
 * Passes through layers: a sequence's caches, the segments that exits cut the layers into, tokens
 * of one or several sequences on their way down, and what is read at the end. Not exported: the
 * strategies are made of it. Uses {@code decode} itself and {@code policy}.
 */
package dev.sortie.eetuning.decode.pass;
