/**
 * The seam between ops and hardware: calls of kernels as data, which check their operands once for
 * all kernel sets, the {@link dev.sortie.tensor.kernel.Kernels} that carry them out, and the scalar
 * reference. A kernel is added as a record of its group, and as a case where each kernel set
 * computes that group; formulas stand at the methods of {@code KernelMethods}, promises at {@code
 * Kernels}. It must not know of tensors' shapes or gradients, nor of what a kernel set does beyond
 * that interface.
 */
package dev.sortie.tensor.kernel;
