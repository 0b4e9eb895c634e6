package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.tile.TileType;

/**
 * From sums of groups to products: some rows of x with one tile, whose scales they share.
 *
 * @param one for one row of x
 * @param two for two rows
 */
record GroupScaling(Kernel one, Kernel two) {
  /** The products of a tile and some rows of x. */
  @FunctionalInterface
  interface Kernel {
    /**
     * Writes as many products as a tile has weight rows, for each row of x.
     *
     * @param x address of the rounded rows
     * @param xRow bytes from one of them to the next
     * @param scales address of the scales of the tile
     * @param sums address of the sums of its first group: a vector for each row
     * @param step bytes from the sums of one group to those of the next
     * @param y address of the result
     * @param yRow bytes from the results of a row of x to those of the next
     * @param blocks of a weight row
     */
    void run(long x, long xRow, long scales, long sums, long step, long y, long yRow, long blocks);
  }

  static GroupScaling of(TileType type) {
    return switch (type) {
      case Q4_0 -> ScaleQ40.KERNELS;
      case Q4_1 -> ScaleQ41.KERNELS;
      case Q5_0 -> ScaleQ50.KERNELS;
      case Q5_1 -> ScaleQ51.KERNELS;
      case Q4_K -> ScaleQ4K.KERNELS;
      case Q5_K -> ScaleQ5K.KERNELS;
      case Q6_K -> ScaleQ6K.KERNELS;
      case Q2_K -> ScaleQ2K.KERNELS;
      case Q3_K -> ScaleQ3K.KERNELS;
      case Q8_0, IQ4_NL, IQ4_XS -> throw new IllegalArgumentException(type + " needs no scaling");
    };
  }

  Kernel forRows(int rows) {
    return rows == 1 ? one : two;
  }
}
