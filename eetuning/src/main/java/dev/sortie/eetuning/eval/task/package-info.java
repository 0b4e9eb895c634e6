/**
 * Tasks from JSONL files, multiple choice and written answers, and the metrics of answers. A new
 * metric is a field of {@code TextMetrics}. It knows no model.
 */
package dev.sortie.eetuning.eval.task;
