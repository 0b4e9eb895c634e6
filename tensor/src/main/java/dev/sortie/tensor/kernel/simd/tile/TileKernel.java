package dev.sortie.tensor.kernel.simd.tile;

/**
 * Products of some rows of x, rounded by {@link RowRounding}, with whole tiles of weights. A vector
 * of 16-bit words holds one word of each weight row of a tile, so a sum stays in its lane from the
 * first element to the last.
 */
@FunctionalInterface
interface TileKernel {
  /**
   * Writes the products.
   *
   * @param x address of the rounded rows
   * @param xRow bytes from one of them to the next
   * @param w address of the first tile
   * @param tileBytes bytes of a tile
   * @param tiles at least one
   * @param y address of the results, as many floats a tile as it has weight rows
   * @param yRow bytes from the results of one row of x to those of the next
   * @param blocks blocks of a weight row
   */
  void run(long x, long xRow, long w, long tileBytes, long tiles, long y, long yRow, long blocks);
}
