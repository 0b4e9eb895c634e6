/**
 * Training a decoder from scratch, also together with exits, on one rank or many. Public are the
 * trainer, its options, its layout and its plan of stages; the model chunks and their passes are
 * not. It knows nothing of tuning.
 */
package dev.sortie.eetuning.train.pretrain;
