/**
 * Products of few rows with weights that are read in place, such as those of decoding. Each type of
 * weights has row kernels for one to four rows, written for speed as one method each; all row
 * counts give a row the same bits. It must not know of {@code gemm} or of the kernels that call it.
 */
package dev.sortie.tensor.kernel.simd.gemv;
