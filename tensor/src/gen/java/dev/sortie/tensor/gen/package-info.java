/**
 * Generators of kernels whose sources are committed: what kernels of one shape share is here, since
 * calls of helper methods would cost them their speed. Change a generator, run {@link
 * KernelSources} and commit both; a test compares. It uses the JDK alone, so that it also runs when
 * the module does not compile.
 */
package dev.sortie.tensor.gen;
