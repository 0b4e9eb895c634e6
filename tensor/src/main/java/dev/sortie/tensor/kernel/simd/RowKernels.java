package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.DType;

/**
 * The {@link RowKernel}s of a type of weights.
 *
 * @param one for one row of x
 * @param two for two
 * @param four for four
 */
record RowKernels(RowKernel one, RowKernel two, RowKernel four) {
  /** Bytes of the sums of one weight row with four rows of x. */
  private static final long SUMS_OF_FOUR = 4 * 4L * Width.LANES;

  private static final RowKernels F32 =
      new RowKernels(GemvF32::one, GemvF32::two, tiled(GemvF32::four, GemvF32::pairs));
  private static final RowKernels BF16 =
      new RowKernels(GemvBf16::one, GemvBf16::two, tiled(GemvBf16::four, GemvBf16::pairs));
  private static final RowKernels F16 =
      new RowKernels(GemvF16::one, GemvF16::two, tiled(GemvF16::four, GemvF16::pairs));

  /** Whether weights of a type are decoded block by block beforehand and then taken as F32. */
  static boolean decodesFirst(DType type) {
    return type.isQuantised();
  }

  /** The table; weights that are decoded first are F32. */
  static RowKernels of(DType type) {
    return switch (type) {
      case F32 -> F32;
      case BF16 -> BF16;
      case F16 -> F16;
      default -> {
        if (!decodesFirst(type)) {
          throw new IllegalArgumentException(
              "no product with weights in " + type + "; they are F32, BF16, F16 or quantised");
        }
        yield F32;
      }
    };
  }

  /** Pairs of weight rows where the machine has the registers, and {@code single} for the rest. */
  static RowKernel tiled(RowKernel single, RowKernel pairs) {
    if (!Gemm.MANY_REGISTERS) {
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

  /** The kernel for {@code rows} rows of x: 1, 2 or 4. */
  RowKernel forRows(int rows) {
    return switch (rows) {
      case 1 -> one;
      case 2 -> two;
      default -> four;
    };
  }
}
