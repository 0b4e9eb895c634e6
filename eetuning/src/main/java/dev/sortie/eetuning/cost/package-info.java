/**
 * What the parts of decoding take on this machine: measured once into a table, from which the speed
 * of exits and drafts follows without running them. Runs the decoder's layers and the exits as they
 * are. Knows no policy's quality and prints nothing.
 */
package dev.sortie.eetuning.cost;
