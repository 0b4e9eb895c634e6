package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.tile.TileType;

/** From sums of groups to products: one row of x with one tile. */
@FunctionalInterface
interface GroupScaling {
  /**
   * Writes as many products as a tile has weight rows.
   *
   * @param x address of the rounded row
   * @param scales address of the scales of the tile
   * @param sums address of the sums of its first group
   * @param step bytes from the sums of one group to those of the next
   * @param y address of the result
   * @param blocks of a weight row
   */
  void run(long x, long scales, long sums, long step, long y, long blocks);

  static GroupScaling of(TileType type) {
    return switch (type) {
      case Q4_0 -> ScaleQ40::run;
      case Q4_1 -> ScaleQ41::run;
      case Q5_0 -> ScaleQ50::run;
      case Q5_1 -> ScaleQ51::run;
      case Q4_K -> ScaleQ4K::run;
      case Q5_K -> ScaleQ5K::run;
      case Q6_K -> ScaleQ6K::run;
      case Q2_K -> ScaleQ2K::run;
      case Q3_K -> ScaleQ3K::run;
      case Q8_0, IQ4_NL, IQ4_XS -> throw new IllegalArgumentException(type + " needs no scaling");
    };
  }
}
