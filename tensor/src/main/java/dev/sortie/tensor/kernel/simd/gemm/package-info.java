/**
 * The blocked matrix product: packing of both operands, micro-kernels, which are generated, and the
 * grid of threads. Block sizes are tuned, with the rejected alternatives at each constant; the
 * block of K and the order of summation decide bits and must stay. It must not know of {@code gemv}
 * or of the kernels that call it.
 */
package dev.sortie.tensor.kernel.simd.gemm;
