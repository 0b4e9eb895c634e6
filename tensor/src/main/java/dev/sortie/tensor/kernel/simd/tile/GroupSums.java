package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TileForm;

/**
 * Sums over the groups of tiles, for some rows of x that {@link RowRounding} rounded: {@code Σ n x}
 * modulo 2^16. A vector of 16-bit words holds one word of each weight row of a tile, so a sum stays
 * in its lane.
 *
 * @param one for one row of x and four tiles
 * @param two for two rows and two tiles
 * @param four for four rows and two tiles
 */
record GroupSums(Kernel one, Kernel two, Kernel four) {
  /** Rows of x that a kernel reads at most. */
  static final int ROWS = 4;

  /** Sums of a group that a kernel computes at a time, at most. */
  static final int SUMS = 8;

  /** The sums of {@code tiles} tiles and some rows of x. */
  @FunctionalInterface
  interface Kernel {
    /**
     * Writes vectors {@code sums[group, tile, row of x]}.
     *
     * @param x address of the rounded rows
     * @param xRow bytes from one of them to the next
     * @param w address of the first tile
     * @param tileBytes bytes from one tile to the next that this call reads
     * @param sums address of the result
     * @param groups of a weight row
     */
    void run(long x, long xRow, long w, long tileBytes, long sums, long groups);
  }

  static GroupSums of(TileForm form) {
    return switch (form) {
      case THREES -> SumsOfThrees.KERNELS;
      case NIBBLES -> SumsOfNibbles.KERNELS;
      case FIVES -> SumsOfFives.KERNELS;
      case SIXES -> SumsOfSixes.KERNELS;
      case BYTES -> throw new IllegalArgumentException("no sums of words of bytes");
    };
  }

  Kernel forRows(int rows) {
    return switch (rows) {
      case 1 -> one;
      case 2 -> two;
      case ROWS -> four;
      default -> throw new IllegalArgumentException("no kernel for " + rows + " rows");
    };
  }

  /**
   * The most rows that a kernel reads, of those that are left. Vectors of 128 bits take two at a
   * time: SmolLM2 in Q4_1, one start on two cores of Zen 4, passes of two rows in 10 ms, of four by
   * the kernel for four in 29.
   */
  static int rows(int left) {
    return left >= ROWS && Width.LANES > 4 ? ROWS : Math.min(left, 2);
  }

  /** Tiles that the kernel for so many rows of x reads at a time. */
  static int tiles(int rows) {
    return rows == 1 ? 4 : 2;
  }
}
