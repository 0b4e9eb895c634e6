package dev.sortie.tensor.kernel.simd.gemv;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.simd.vector.Width;

/**
 * The {@link RowKernel}s of a type of weights, whose sources are generated.
 *
 * <p>Eight rows of x are passes of two and four. One weight row by eight rows of x, laid out vector
 * by vector, decodes each weight once, but loads a vector of x for each fma: Zen 4, one thread, 50
 * M weights, GFLOP/s of two passes and of one: BF16, k = 576, 65 and 52; Q4_1 64 and 77; with k =
 * 1536, where x no longer fits into the L1 cache, BF16 56 and 34, Q4_1 68 and 47.
 *
 * <p>Two and four rows take two weight rows at a time, for a vector of x then serves two products:
 * 106 M weights, k = 576, two threads, two rows of x: BF16 6.3 ms, not 8.0, Q8_0 4.6, not 5.9, and
 * with 16 registers of 256 bits BF16 6.2, not 8.3. One row does not: in cache it is a tenth faster
 * so, but from memory Q8_0 takes 5.8 ms, not 3.7. On a Xeon that reads 30 GB/s, two weight rows are
 * faster: a token of SmolLM2 in BF16 takes 14.4 ms, not 21, in F32 25.5, not 30.5. So F32, BF16 and
 * F16 are tried both ways.
 *
 * <p>Three rows have a kernel, too, and do not run as four: Zen 5, two threads, 106 M weights in
 * Q4_1, three rows 3.4 ms, four 4.1; Zen 4, k = 1536, BF16 9.0 and 10.7, with 16 registers of 256
 * bits 10.6 and 15.9.
 *
 * @param one for one row of x
 * @param onePairs for one row of x and two weight rows; null where only single ones have a kernel
 * @param two for two; null where only one row has a kernel, as {@code three} and {@code four}
 * @param three for three
 * @param four for four
 */
record RowKernels(
    RowKernel one, RowKernel onePairs, RowKernel two, RowKernel three, RowKernel four) {
  /** Bytes of the sums of one weight row. */
  private static final long SUMS = 4L * Width.LANES;

  /**
   * Whether weights of a type are decoded a block of rows at a time beforehand and then taken as
   * F32: quantised ones without kernels of their own.
   */
  static boolean decodesFirst(DType type, int m) {
    return type.isQuantised() && of(type, m) == GemvF32.KERNELS;
  }

  /**
   * The table, for products of {@code m} rows of x; the kernels of F32 for weights that are decoded
   * first: types without kernels, kernels for another width, and more rows of x than a type has
   * kernels for. Kernels for quantised types are written for 512 bits.
   */
  static RowKernels of(DType type, int m) {
    RowKernels own =
        switch (type) {
          case BF16 -> GemvBf16.KERNELS;
          case F16 -> GemvF16.KERNELS;
          case Q8_0 -> GemvQ80.KERNELS;
          case Q4_0 -> GemvQ40.KERNELS;
          case Q4_1 -> GemvQ41.KERNELS;
          case Q4_K -> GemvQ4K.KERNELS;
          case Q6_K -> GemvQ6K.KERNELS;
          case F32, Q5_0, Q5_1, IQ4_NL, IQ4_XS, Q2_K, Q3_K, Q5_K -> GemvF32.KERNELS;
          case F64, I32 ->
              throw new IllegalArgumentException(
                  "no product with weights in " + type + "; they are F32, BF16, F16 or quantised");
        };
    boolean decodes = type.isQuantised() && Width.LANES != 16 || m > 1 && own.four == null;
    return decodes ? GemvF32.KERNELS : own;
  }

  /** Pairs of weight rows where the machine has 32 registers, elsewhere {@code single}. */
  static RowKernel tiled(RowKernel single, RowKernel pairs) {
    return Width.MANY_REGISTERS ? pairs(single, pairs) : single;
  }

  /** Pairs of weight rows, and {@code single} for a last one. */
  static RowKernel pairs(RowKernel single, RowKernel pairs) {
    return (x, w, rowBytes, sums, count, k) -> {
      pairs.run(x, w, rowBytes, sums, count & ~1L, k);
      if (count % 2 != 0) {
        long last = count - 1;
        single.run(x, w + last * rowBytes, rowBytes, sums + last * SUMS, 1, k);
      }
    };
  }

  /** Pairs of weight rows with three rows of x; a last weight row is both of a pair. */
  static RowKernel threes(RowKernel pairs) {
    return (x, w, rowBytes, sums, count, k) -> {
      pairs.run(x, w, rowBytes, sums, count & ~1L, k);
      if (count % 2 != 0) {
        long last = count - 1;
        pairs.run(x, w + last * rowBytes, 0, sums + last * SUMS, 2, k);
      }
    };
  }

  /** The kernel for {@code rows} rows of x, 1 to 4; for one row, of pairs of weight rows or not. */
  RowKernel forRows(int rows, boolean pairs) {
    return switch (rows) {
      case 1 -> pairs ? onePairs : one;
      case 2 -> two;
      case 3 -> three;
      default -> four;
    };
  }
}
