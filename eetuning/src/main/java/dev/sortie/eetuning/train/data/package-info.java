/**
 * Where training gets its tokens: files of text, rows in memory, text that the model samples of
 * itself; and the micro-batches cut from them. Another source implements {@code TokenSource}. It
 * knows nothing of what is trained on them, or on how many ranks.
 */
package dev.sortie.eetuning.train.data;
