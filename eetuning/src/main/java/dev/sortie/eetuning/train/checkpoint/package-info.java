/**
 * Checkpoints on disk: written by all ranks, found again after any failure, read by any number of
 * ranks, and rewritten for another layout. The file format is a contract with older runs. It knows
 * a job by its named tensors and its fingerprint alone.
 */
package dev.sortie.eetuning.train.checkpoint;
