/**
 * Attention forward and backward, for single queries, tiles of queries and runs of cache pages, and
 * rotary embeddings. A query has the same bits alone and in a small batch, and over any split of
 * its cache into runs, which tests hold. It must not know of {@code gemm}, {@code gemv} or the
 * kernels that call it.
 */
package dev.sortie.tensor.kernel.simd.attention;
