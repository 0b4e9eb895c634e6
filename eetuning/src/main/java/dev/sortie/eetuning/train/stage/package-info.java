/**
 * Pipeline stages: which layers one has, what its parts cost by count or by measurement, and a
 * micro-batch in flight through it. Tuning and training from scratch make their plans from these.
 * It knows neither of them, and no loss.
 */
package dev.sortie.eetuning.train.stage;
