/**
 * Collectives among the members of a group: one class for each algorithm with its cost, and the
 * choice among them by measured speeds. A new algorithm is a row of the table in {@code
 * AlgorithmSelector}; sums that claim to ascend must give the bits of the left fold. Sees messages
 * and shared memory through a {@code CollectiveContext}; knows no transport by name. Not exported.
 */
package dev.sortie.parallel.comm.algorithm;
