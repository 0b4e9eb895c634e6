package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.kernel.tile.TileType;

/** The {@link TileKernel}s of a type of tiles, for one to four rows of x. */
record TileKernels(TileKernel one, TileKernel two, TileKernel three, TileKernel four) {
  static TileKernels of(TileType type) {
    return switch (type) {
      case Q4_0 -> TileQ40.KERNELS;
      case Q4_1 -> TileQ41.KERNELS;
      case Q5_0 -> TileQ50.KERNELS;
      case Q5_1 -> TileQ51.KERNELS;
      case Q8_0 -> TileQ80.KERNELS;
      case Q4_K -> TileQ4K.KERNELS;
      case Q5_K -> TileQ5K.KERNELS;
      case Q6_K -> TileQ6K.KERNELS;
    };
  }

  TileKernel forRows(int rows) {
    return switch (rows) {
      case 1 -> one;
      case 2 -> two;
      case 3 -> three;
      default -> four;
    };
  }
}
