/**
 * Text that a model samples of itself for training: prompts drawn from a table, texts from batches,
 * filters, near-duplicates, and the files that training reads. What is sampled is kept whole in
 * shards, so that a run resumes and filters may change; what passes is decided anew from the shards
 * each time. It uses {@code decode.batch} and {@code decode.chat}; who shows progress is outside.
 */
package dev.sortie.eetuning.sample;
