/**
 * The ranks that train together: their groups, and the sums, tables and rows of optimiser state
 * that they exchange. The order of every sum is fixed and is part of the results. It does not know
 * what is trained, nor how layers are shared out among stages.
 */
package dev.sortie.eetuning.train.rank;
