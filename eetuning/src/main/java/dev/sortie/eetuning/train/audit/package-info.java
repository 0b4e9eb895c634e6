/**
 * The audit record of a run: a line for each step that fixes its data, losses, gradient norms and
 * trained tensors, chained by hashes; and the replay that says whether a record is true. Records
 * are the same bytes for all layouts of ranks that give the same bits. It sees a job by its
 * interface and knows neither tuning nor training from scratch.
 */
package dev.sortie.eetuning.train.audit;
