package dev.sortie.tensor.kernel.simd.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.ScalarKernels;
import dev.sortie.tensor.kernel.TestSpans;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import dev.sortie.tensor.memory.Span;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whether tiles are read ahead changes no bit. */
class ReadAheadContractTest {
  /** More than a round of trials has. */
  private static final int CALLS = 20;

  /** The first calls go both ways, half and half; others the way that was faster. */
  @ParameterizedTest
  @EnumSource
  void bitsAreThoseOfTheReference(TileType type) {
    int k = 768;
    int n = 17 * TileProducts.LANES + 5;
    Kernels reference = new ScalarKernels();
    try (TestSpans spans = new TestSpans(4);
        WorkerPool pool = new WorkerPool(2)) {
      Span w = spans.blocks(type.dtype(), (long) n * k, new Random(9));
      TileProducts products = new TileProducts(pool, 1);
      TiledWeight expects = reference.tile(w, n, k, spans.arena());
      TiledWeight tiles = products.tile(new KernelQuery.Tile(w, n, k, spans.arena()));
      for (int m : new int[] {1, 3}) {
        Span x = spans.gaussians(DType.F32, (long) m * k);
        Span expected = spans.allocate(DType.F32, (long) m * n);
        reference.tiledLinears(x, List.of(new TiledProjection(expects, null, expected)), m, k);
        for (int call = 0; call < CALLS; call++) {
          Span y = spans.allocate(DType.F32, (long) m * n);
          products.run(
              new MatrixCall.TiledLinears(x, List.of(new TiledProjection(tiles, null, y)), m, k));
          assertThat(y.segment().mismatch(expected.segment()))
              .as("first byte that differs, %d rows, call %d", m, call)
              .isEqualTo(-1);
        }
      }
    }
  }
}
