package dev.sortie.tensor.kernel.simd.gemm;

import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.tile.TileType;

/** How the right operand of a product lies in memory. */
public sealed interface RightOperand {

  /** In rows, as tensors do. */
  record Rows(DType type) implements RightOperand {}

  /** As {@link PackedPanels}. */
  record Panels() implements RightOperand {}

  /** In tiles of {@link Gemm#NR} weight rows. */
  record Tiles(TileType type) implements RightOperand {}
}
