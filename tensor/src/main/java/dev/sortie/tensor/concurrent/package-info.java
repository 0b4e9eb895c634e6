/**
 * Threads: a pool that shares out ranges of work and whose threads spin shortly before they sleep,
 * and how many cores there are. A range is cut into one part per thread, but results may not depend
 * on the number of threads: callers let no cut decide in which order anything is summed. The
 * package knows neither tensors nor kernels.
 */
package dev.sortie.tensor.concurrent;
