package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.tile.TileForm;

/**
 * Sums over the groups of tiles, for some rows of x that {@link RowRounding} rounded: {@code Σ n x}
 * modulo 2^16. A vector of 16-bit words holds one word of each weight row of a tile, so a sum stays
 * in its lane.
 *
 * @param one for one row of x and four tiles
 * @param two for two rows and two tiles
 */
record GroupSums(Kernel one, Kernel two) {
  /** Rows of x that a kernel reads at most. */
  static final int ROWS = 2;

  /**
   * Sums of a group that a kernel computes at a time: of one row with four tiles, or two with two.
   */
  static final int SUMS = 4;

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
    return rows == 1 ? one : two;
  }

  /** Tiles that the kernel for so many rows of x reads at a time. */
  static int tiles(int rows) {
    return SUMS / rows;
  }
}
