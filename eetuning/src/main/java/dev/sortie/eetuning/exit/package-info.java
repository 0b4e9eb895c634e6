/**
 * Exits: their architectures, one file and one row of {@code ExitArchitecture} each, their
 * initialisation, their draft heads, the n-grams that lie with them and the exits file. Reads the
 * backbone's modules and tensors and never changes them. Knows neither how exits are trained nor
 * when decoding takes one.
 */
package dev.sortie.eetuning.exit;
