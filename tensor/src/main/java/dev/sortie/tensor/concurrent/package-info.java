/**
 * Threads: a pool that shares out ranges of work and whose threads spin shortly before they sleep,
 * and how many cores there are. Results may not depend on the number of threads: work is cut by
 * size alone. It knows neither tensors nor kernels.
 */
package dev.sortie.tensor.concurrent;
