/**
 * Comparisons with peers: each does the same work on both sides, checks that the results agree, and
 * gives rates and their ratio. A new one is a class here and a row of {@code Comparison}. It starts
 * peers only through {@code peer} and {@code ranks}.
 */
package dev.sortie.benchmarks.compare;
