/**
 * What all SIMD kernels are made of: the vector width, native memory, sums in a fixed order,
 * elementary functions, and how work is split among threads. Orders of summation, tails and
 * roundings are part of every result's bits, so a change here needs new golden values. It must not
 * know of tensors, weights or any kernel above it.
 */
package dev.sortie.tensor.kernel.simd.vector;
