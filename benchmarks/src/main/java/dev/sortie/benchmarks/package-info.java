/**
 * The command line of the benchmarks: one class for each command. What is measured is in the
 * packages below. Nothing outside this module depends on it.
 */
package dev.sortie.benchmarks;
