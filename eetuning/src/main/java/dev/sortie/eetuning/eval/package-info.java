/**
 * Quality and speed of a model and its exits: scores of texts, ways of decoding run in turns,
 * sweeps over thresholds, the demo. Results are records that refuse a wrong figure. It does not
 * know how results are shown.
 */
package dev.sortie.eetuning.eval;
