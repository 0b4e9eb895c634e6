package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.simd.vector.Memory;
import dev.sortie.tensor.kernel.simd.vector.Scratch;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TileForm;
import dev.sortie.tensor.kernel.tile.TilePacking;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Products with weights in tiles. A region over the tiles of all weights is cut among the threads;
 * each rounds x for itself, which takes less than waiting for another thread would.
 */
public final class TileProducts {
  /** Weight rows a tile: as many as a vector has words of 16 bits. */
  static final int LANES = 2 * Width.LANES;

  private static final int MAX_ROWS = 4;

  /** Bytes of tiles that several passes read: they have to stay in an L2 cache of 512 KiB. */
  private static final long CHUNK_BYTES = 256 << 10;

  /** Multiply-adds below which a thread is not worth waking. */
  private static final long GRAIN = 1L << 17;

  private final WorkerPool pool;
  private final Scratch scratch = new Scratch();

  public TileProducts(WorkerPool pool) {
    this.pool = pool;
  }

  /** Packs a weight. */
  public TiledWeight tile(KernelQuery.Tile call) {
    TiledWeight tiles = call.allocate(LANES);
    TilePacking packing = new TilePacking(call.w(), tiles);
    pool.range(Math.toIntExact(TiledWeight.tiles(call.n(), LANES)), 1, packing::run);
    return tiles;
  }

  /** The products of a call. */
  public void run(MatrixCall.TiledLinears call) {
    if (call.m() == 0) {
      return;
    }
    int tiles = 0;
    for (TiledProjection p : call.projections()) {
      checkLanes(p.w());
      tiles = Math.addExact(tiles, (int) TiledWeight.tiles(p.w().n(), LANES));
    }
    int grain = (int) Math.max(1, GRAIN / Math.max(1, (long) call.k() * LANES));
    pool.range(tiles, grain, (from, to) -> run(call, from, to));
  }

  /** Fails unless the tiles are of these kernels. */
  public static void checkLanes(TiledWeight w) {
    if (w.lanes() != LANES) {
      throw new IllegalArgumentException(
          "weight is in tiles of %d rows, the %s kernels read tiles of %d; make them with the kernel set that reads them"
              .formatted(w.lanes(), Width.name(), LANES));
    }
  }

  /** Tiles {@code [from, to)} of all weights, counted through. */
  private void run(MatrixCall.TiledLinears call, int from, int to) {
    long rounded = scratchFor(call);
    long edge = rounded;
    for (TileForm form : TileForm.values()) {
      edge = Math.max(edge, rounded + RowRounding.bytes(form, call.m(), call.k()));
    }
    TileForm done = null;
    int first = 0;
    List<TiledProjection> projections = call.projections();
    for (TiledProjection p : projections) {
      int count = (int) TiledWeight.tiles(p.w().n(), LANES);
      int begin = Math.max(0, from - first);
      int end = Math.min(count, to - first);
      if (begin < end) {
        TileForm form = p.w().type().form();
        if (form != done) {
          RowRounding.run(form, call.x().address(), call.m(), call.k(), rounded);
          done = form;
        }
        product(p, call.m(), begin, end, rounded, edge);
      }
      first += count;
    }
  }

  private long scratchFor(MatrixCall.TiledLinears call) {
    long most = 0;
    for (TileForm form : TileForm.values()) {
      most = Math.max(most, RowRounding.bytes(form, call.m(), call.k()));
    }
    return scratch.floats(most / 4 + (long) MAX_ROWS * LANES);
  }

  private void product(TiledProjection p, int m, int begin, int end, long x, long edge) {
    TiledWeight w = p.w();
    int whole = Math.min(end, w.n() / LANES);
    int chunk = m <= MAX_ROWS ? whole : (int) Math.max(1, CHUNK_BYTES / w.tileBytes());
    long y = p.y().address();
    long yRow = 4L * w.n();
    for (int t = begin; t < whole; t += chunk) {
      int tiles = Math.min(chunk, whole - t);
      for (int i = 0; i < m; i += MAX_ROWS) {
        int rows = Math.min(MAX_ROWS, m - i);
        pass(w, x, i, rows, t, tiles, y + i * yRow + 4L * t * LANES, yRow);
      }
    }
    int rest = w.n() % LANES;
    if (end > w.n() / LANES) {
      for (int i = 0; i < m; i += MAX_ROWS) {
        int rows = Math.min(MAX_ROWS, m - i);
        pass(w, x, i, rows, end - 1, 1, edge, 4L * LANES);
        for (int r = 0; r < rows; r++) {
          long to = y + (i + r) * yRow + 4L * (end - 1) * LANES;
          MemorySegment.copy(Memory.MEMORY, edge + 4L * LANES * r, Memory.MEMORY, to, 4L * rest);
        }
      }
    }
    if (p.bias() != null) {
      int last = Math.min(end * LANES, w.n());
      for (int i = 0; i < m; i++) {
        addBias(p.bias().address(), y + i * yRow, begin * LANES, last);
      }
    }
  }

  /** Rows {@code [i, i + rows)} with tiles {@code [t, t + tiles)}. */
  private static void pass(
      TiledWeight w, long x, int i, int rows, int t, int tiles, long y, long yRow) {
    long xRow = RowRounding.rowBytes(w.type().form(), w.k());
    TileKernels.of(w.type())
        .forRows(rows)
        .run(
            x + i * xRow,
            xRow,
            w.values().address() + t * w.tileBytes(),
            w.tileBytes(),
            tiles,
            y,
            yRow,
            w.k() / w.type().dtype().block());
  }

  private static void addBias(long bias, long y, int from, int to) {
    for (long at = 4L * from; at < 4L * to; at += 4) {
      float sum =
          Memory.MEMORY.get(ValueLayout.JAVA_FLOAT_UNALIGNED, y + at)
              + Memory.MEMORY.get(ValueLayout.JAVA_FLOAT_UNALIGNED, bias + at);
      Memory.MEMORY.set(ValueLayout.JAVA_FLOAT_UNALIGNED, y + at, sum);
    }
  }
}
