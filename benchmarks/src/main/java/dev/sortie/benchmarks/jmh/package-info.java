/**
 * Benchmarks of single kernels for JMH, which say where time goes. Sizes are those of the models
 * that the comparisons use. They compare with nothing.
 */
package dev.sortie.benchmarks.jmh;
