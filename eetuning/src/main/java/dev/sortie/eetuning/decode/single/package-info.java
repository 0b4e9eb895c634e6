/**
 * Strategies that read one token of one text after the other: the full depth, early exit, and the
 * reuse of what texts have in common. {@code FullDepth} stays as plain as it is, for the others are
 * compared with it. Uses {@code decode} itself, {@code policy} and {@code pass}; it does not know
 * how an exit is completed.
 */
package dev.sortie.eetuning.decode.single;
