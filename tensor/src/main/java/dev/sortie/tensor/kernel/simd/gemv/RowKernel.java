package dev.sortie.tensor.kernel.simd.gemv;

import dev.sortie.tensor.kernel.simd.vector.Memory;

/**
 * Dot products of weight rows, read in place, with one to four rows of x, up to the last step: each
 * weight row leaves one vector of partial sums for {@link GemvSums} to finish.
 *
 * <p>The order of summation is the same for every kernel of a type, so that tiles of any shape give
 * the same bits. A dot product has two vectors of sums: {@code a} takes the products of vectors 0,
 * 2, 4 … of k, {@code b} those of vectors 1, 3, 5 …, by fma, from zero; a last single vector goes
 * to the one whose turn it is. What is left is {@code a + b}. A weight is decoded to F32, rounded
 * as its format says, before it is multiplied; so weights decoded beforehand give the same bits as
 * weights decoded on the way. Elements past the last whole vector are not the kernel's.
 *
 * <p>Their sources are generated ({@code tensor/src/gen}) from a description of each type. How they
 * are written, and why (Zen 4, 64 x 576 in the L2 cache, one thread):
 *
 * <ul>
 *   <li>Loads and arithmetic are the JDK's methods at each place, no helpers of ours: with helpers
 *       two rows by four fell from 51 to 35 GB/s, and in every second start to 2.
 *   <li>Addresses are masked by {@link Memory#ADDRESS}, which spares the bounds check of each load.
 *   <li>The k loops end by {@code !=}, for that is no counted loop to C2: it neither unrolls it nor
 *       cuts it in pre-, main and post-loop. With {@code <} one row fell from 66 to 30 GB/s.
 *   <li>Two vectors of k per body; with four, two rows by four fell from 51 to 40 GB/s.
 *   <li>Two weight rows in a body lie half a block apart. Neighbours spoil the prefetching: from
 *       memory 22 ms, not 16, with four rows of x. So do touches ahead of the kernel's own loads,
 *       and x itself: its rows look like streams too. Spreading them over pages helped in some
 *       kernels and cost as much in others.
 * </ul>
 */
@FunctionalInterface
interface RowKernel {
  /**
   * Writes a vector of partial sums for each weight row. With several rows of x, neighbouring sums
   * of each have been added until those of all rows fit one vector, where they alternate: two rows
   * {@code v w v w …}, four {@code v w p q v w p q …}, and three as four, the last being of no use.
   *
   * @param x address of the rows of x, {@code k} floats each
   * @param w address of the first weight row
   * @param rowBytes bytes from one weight row to the next
   * @param sums address of the result; a vector after it may be written, too
   * @param count weight rows
   * @param k inputs
   */
  void run(long x, long w, long rowBytes, long sums, long count, long k);
}
