/**
 * What all training has in common: a job of steps, its state as named tensors, its losses, and the
 * memory that it takes. Tuning, training from scratch, the loop and checkpoints are packages below
 * it and use it. It knows none of them.
 */
package dev.sortie.eetuning.train;
