/**
 * The engine of early exit: {@link dev.sortie.eetuning.decode.pass.Descent} brings tokens of one or
 * several texts down through the segments that exits cut the layers into, and completes what they
 * skipped; a text's caches, progress and hidden states are kept here too. Not exported: strategies,
 * batches and pipeline stages are made of it, and a change here changes all of them. Uses {@code
 * decode} itself and {@code policy}; it knows neither who chose a token nor who drafted it.
 */
package dev.sortie.eetuning.decode.pass;
