package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.tile.TileForm;
import dev.sortie.tensor.kernel.tile.TileType;

/**
 * Products with tiles of {@link TileForm#BYTES}, for some rows of x that {@link RowRounding}
 * prepared: in F32, a weight row in each lane, element after element.
 *
 * @param one for one row of x
 * @param two for two rows
 */
record ByteProducts(Kernel one, Kernel two) {
  /** Rows of x that a kernel reads at most. */
  static final int ROWS = 2;

  /** Tiles that a kernel reads at a time. */
  static final int TILES = 2;

  /** The products of two tiles and some rows of x. */
  @FunctionalInterface
  interface Kernel {
    /**
     * Writes as many products as a tile has weight rows, for each tile and each row of x.
     *
     * @param x address of the rows
     * @param xRow bytes from one of them to the next
     * @param w address of the first tile
     * @param tileBytes bytes from there to the second one
     * @param scales bytes from the beginning of a tile to its scales
     * @param y address of the result
     * @param yTile bytes from the results of the first tile to those of the second one
     * @param yRow bytes from the results of a row of x to those of the next
     * @param blocks of a weight row
     */
    void run(
        long x,
        long xRow,
        long w,
        long tileBytes,
        long scales,
        long y,
        long yTile,
        long yRow,
        long blocks);
  }

  static ByteProducts of(TileType type) {
    return switch (type) {
      case Q8_0, IQ4_NL -> BytesQ80.KERNELS;
      case IQ4_XS -> BytesIQ4XS.KERNELS;
      default -> throw new IllegalArgumentException(type + " has no levels of a byte");
    };
  }

  Kernel forRows(int rows) {
    return rows == 1 ? one : two;
  }
}
