/**
 * Pipeline schedules as data, one runner for all of them, the timeline that is to be expected, and
 * balanced cuts of a model into stages. A new schedule is a row of {@code TrainingSchedule}. Knows
 * no tensors and no communicator: the caller moves data.
 */
package dev.sortie.parallel.pipeline;
