/**
 * Kernels on the Vector API: the kernel set itself, and its loops over elements, rows and losses.
 * Products, attention and the vector functions under them have packages of their own below this
 * one, which know nothing of this one. Only these packages may use {@code jdk.incubator.vector};
 * nothing outside {@code tensor.kernel} sees them.
 */
package dev.sortie.tensor.kernel.simd;
