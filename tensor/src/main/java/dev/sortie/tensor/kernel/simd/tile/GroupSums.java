package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.tile.TileForm;

/**
 * Sums over the groups of tiles, for some rows of x that {@link RowRounding} rounded: {@code Σ n x}
 * modulo 2^16. A vector of 16-bit words holds one word of each weight row of a tile, so a sum stays
 * in its lane.
 *
 * @param one for one row of x and four tiles
 * @param three for one row and three tiles
 * @param two for two rows and two tiles
 */
record GroupSums(Kernel one, Kernel three, Kernel two) {
  /** Rows of x that a kernel reads at most. */
  static final int ROWS = 2;

  /**
   * Sums of a group that a kernel computes at a time, at most: of one row with four tiles, or two
   * with two.
   */
  static final int SUMS = 4;

  /** Fewer tiles than this are taken in threes if they can. */
  private static final int FEW = 64;

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

  /** The kernel for some rows of x and {@code tiles} tiles. */
  Kernel kernel(int rows, int tiles) {
    if (rows > 1) {
      return two;
    }
    return tiles == 3 ? three : one;
  }

  /** Tiles that a kernel reads at a time, of {@code count} with so many rows of x. */
  static int tiles(int rows, int count) {
    return rows > 1 ? 2 : count < 4 ? 3 : 4;
  }

  /**
   * How often three of {@code count} tiles are read at a time, which only one row of x does; the
   * others are fours. Fours alone would read some tiles twice where a thread has 9, as it has of a
   * [576, 1536] of two threads: Zen 5, a token of SmolLM2 in Q4_0 2.55 ms, with fours alone 2.75.
   * Threes alone make 1B 6 % slower. They are preferred for few tiles, so that a small model has to
   * compile one kernel, not two: with both, a cold start of SmolLM2 takes 1.65 s, not 1.58.
   */
  static int threes(int rows, int count) {
    if (rows > 1) {
      return 0;
    }
    if (count < FEW && count % 3 == 0) {
      return count / 3;
    }
    int threes = -count & 3;
    return 3 * threes <= count ? threes : 0;
  }
}
