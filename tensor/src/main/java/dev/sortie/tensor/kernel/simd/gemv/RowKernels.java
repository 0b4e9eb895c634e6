package dev.sortie.tensor.kernel.simd.gemv;

import dev.sortie.tensor.DType;
import dev.sortie.tensor.kernel.simd.vector.Width;

/**
 * The {@link RowKernel}s of a type of weights.
 *
 * <p>Eight rows of x are two passes of four. One weight row by eight rows of x, laid out vector by
 * vector, decodes each weight once, but loads a vector of x for each fma: Zen 4, one thread, 50 M
 * weights, GFLOP/s of two passes and of one: BF16, k = 576, 65 and 52; Q4_1 64 and 77; with k =
 * 1536, where x no longer fits into the L1 cache, BF16 56 and 34, Q4_1 68 and 47.
 *
 * <p>Three rows have a kernel where four are bound by arithmetic: Zen 5, two threads, 106 M weights
 * in Q4_1, three rows 3.4 ms, four 4.1. Elsewhere they run as four, the fourth being zero, for two
 * and one took longer.
 *
 * @param one for one row of x
 * @param two for two
 * @param three for three; null where they run as four
 * @param four for four
 */
record RowKernels(RowKernel one, RowKernel two, RowKernel three, RowKernel four) {
  private RowKernels(RowKernel one, RowKernel two, RowKernel four) {
    this(one, two, null, four);
  }

  /** Bytes of the sums of one weight row with four rows of x. */
  private static final long SUMS_OF_FOUR = 4 * 4L * Width.LANES;

  private static final RowKernels F32 =
      new RowKernels(GemvF32::one, GemvF32::two, tiled(GemvF32::four, GemvF32::pairs));
  private static final RowKernels BF16 =
      new RowKernels(GemvBf16::one, GemvBf16::two, tiled(GemvBf16::four, GemvBf16::pairs));
  private static final RowKernels F16 =
      new RowKernels(GemvF16::one, GemvF16::two, tiled(GemvF16::four, GemvF16::pairs));

  private static final RowKernels Q8_0 =
      new RowKernels(
          GemvQ80::one,
          GemvQ80::two,
          threes(GemvQ80::one, GemvQ80::pairsOfThree),
          tiled(GemvQ80::four, GemvQ80::pairs));
  private static final RowKernels Q4_0 =
      new RowKernels(GemvQ40::one, GemvQ40::two, tiled(GemvQ40::four, GemvQ40::pairs));
  private static final RowKernels Q4_1 =
      new RowKernels(
          GemvQ41::one,
          GemvQ41::two,
          threes(GemvQ41::one, GemvQ41::pairsOfThree),
          tiled(GemvQ41::four, GemvQ41::pairs));

  /** For one row of x; with more, decoding first costs less than a pass does. */
  private static final RowKernels Q4_K = new RowKernels(GemvQ4K::one, null, null);

  private static final RowKernels Q6_K = new RowKernels(GemvQ6K::one, null, null);

  /**
   * Whether weights of a type are decoded a block of rows at a time beforehand and then taken as
   * F32: quantised ones without kernels of their own.
   */
  static boolean decodesFirst(DType type, int m) {
    return type.isQuantised() && of(type, m) == F32;
  }

  /**
   * The table, for products of {@code m} rows of x; the kernels of F32 for weights that are decoded
   * first. Kernels for quantised types are written for 512 bits.
   */
  static RowKernels of(DType type, int m) {
    boolean wide = Width.LANES == 16;
    return switch (type) {
      case BF16 -> BF16;
      case F16 -> F16;
      case Q8_0 -> wide ? Q8_0 : F32;
      case Q4_0 -> wide ? Q4_0 : F32;
      case Q4_1 -> wide ? Q4_1 : F32;
      case Q4_K -> wide && m == 1 ? Q4_K : F32;
      case Q6_K -> wide && m == 1 ? Q6_K : F32;
      case F32, Q5_0, Q5_1, IQ4_NL, Q2_K, Q3_K, Q5_K -> F32;
      case F64, I32 ->
          throw new IllegalArgumentException(
              "no product with weights in " + type + "; they are F32, BF16, F16 or quantised");
    };
  }

  /** Pairs of weight rows where the machine has the registers, and {@code single} for the rest. */
  static RowKernel tiled(RowKernel single, RowKernel pairs) {
    if (!Width.MANY_REGISTERS) {
      return single;
    }
    return (x, w, rowBytes, sums, count, k) -> {
      pairs.run(x, w, rowBytes, sums, count & ~1L, k);
      if (count % 2 != 0) {
        long last = count - 1;
        single.run(x, w + last * rowBytes, rowBytes, sums + last * SUMS_OF_FOUR, 1, k);
      }
    };
  }

  /** Pairs of weight rows with three rows of x, and {@code one} for a last weight row. */
  private static RowKernel threes(RowKernel one, RowKernel pairs) {
    return (x, w, rowBytes, sums, count, k) -> {
      pairs.run(x, w, rowBytes, sums, count & ~1L, k);
      if (count % 2 != 0) {
        long last = count - 1;
        for (long r = 0; r < 3; r++) {
          long to = sums + 4L * Width.LANES * (3 * last + r);
          one.run(x + 4 * k * r, w + last * rowBytes, rowBytes, to, 1, k);
        }
      }
    };
  }

  /** The kernel for {@code rows} rows of x: 1, 2, 4, or 3 where there is one. */
  RowKernel forRows(int rows) {
    return switch (rows) {
      case 1 -> one;
      case 2 -> two;
      case 3 -> three;
      default -> four;
    };
  }
}
