/**
 * Stage 2 of EE-Tuning: exits are trained on the hidden states of a frozen backbone, on one rank or
 * many. Public are the tuner, its options and its plan of stages; how micro-batches pass through a
 * stage is not. It knows nothing of training from scratch.
 */
package dev.sortie.eetuning.train.tune;
