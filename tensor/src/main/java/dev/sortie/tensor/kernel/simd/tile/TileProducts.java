package dev.sortie.tensor.kernel.simd.tile;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.KernelQuery;
import dev.sortie.tensor.kernel.Kernels;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.TiledKernels;
import dev.sortie.tensor.kernel.simd.vector.Memory;
import dev.sortie.tensor.kernel.simd.vector.ReadAhead;
import dev.sortie.tensor.kernel.simd.vector.Scratch;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.kernel.simd.vector.Trials;
import dev.sortie.tensor.kernel.simd.vector.Width;
import dev.sortie.tensor.kernel.tile.TileForm;
import dev.sortie.tensor.kernel.tile.TilePacking;
import dev.sortie.tensor.kernel.tile.TileType;
import dev.sortie.tensor.kernel.tile.TiledProjection;
import dev.sortie.tensor.kernel.tile.TiledWeight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Products with weights in tiles. A region over the tiles of all weights is cut among the threads;
 * each rounds x for itself, which takes less than waiting for another thread would.
 */
public final class TileProducts {
  /** Weight rows a tile: as many as a vector has words of 16 bits. */
  static final int LANES = 2 * Width.LANES;

  /** Bytes of a vector, and of the products of a row of x with a tile. */
  private static final long VECTOR = 4L * Width.LANES;

  private static final long TILE_OF_Y = 4L * LANES;

  /** Bytes of the sums of a group, at most. */
  private static final long GROUP_BYTES = GroupSums.SUMS * VECTOR;

  /** Room for the products with a last tile that is not full. */
  private static final long EDGE_BYTES = GroupSums.ROWS * TILE_OF_Y;

  /** Bytes of tiles that are read more than once: they have to stay in an L2 cache of 512 KiB. */
  private static final long CHUNK_BYTES = 256 << 10;

  /**
   * Large chunks have a multiple of these tiles, since kernels read two, three or four at a time.
   */
  private static final int CHUNK_MULTIPLE = 12;

  /** Rows of x for which tiles are read ahead at most: with more, reading is a small part. */
  private static final int MOST_AHEAD = 16;

  private static final int ROW_KINDS = Trials.digits(MOST_AHEAD - 1L) + 1;

  /** Tiles of a thread from which on half of them can be read ahead and half not. */
  private static final int LEAST_TRIED = 8;

  /**
   * Bytes of tiles of a kind that are read before it is tried to read them ahead: a cold start then
   * does not compile it for the first token.
   */
  private static final long BEFORE_TRIALS = 64L << 20;

  /**
   * Pairs of rows a thread from which on threads share rows, not tiles, so that each row is rounded
   * once. Below, a thread could get a pair more than another.
   */
  private static final int LEAST_PAIRS = 16;

  /** Bytes of rows of x that meet all tiles of some weights: they have to stay in a last cache. */
  private static final long ROWS_BYTES = 1 << 20;

  /** Multiply-adds, of all rows, below which a thread is not woken. */
  private static final long GRAIN = 1L << 17;

  /** Rows of a call up to which it can do without kernels for two rows, see {@link #singles}. */
  private static final int SHORT = TiledKernels.EARLY;

  /**
   * Multiply-adds of several rows that are worth kernels for two: with both threads of a Zen 5 they
   * take about a second, a tenth of which these kernels save.
   */
  private static final long WORTH = 1L << 37;

  private static final TileForm[] FORMS = TileForm.values();

  private final WorkerPool pool;
  private final Scratch scratch = new Scratch();

  /**
   * Multiply-adds that are still computed row by row. Kernels that sum groups of two rows have the
   * bits of those for one and take up to a fifth less time, a tenth mostly. But to compile them
   * takes 0.15 s of a cold start, which a short prompt does not earn back: SmolLM2 in Q4_1, 40
   * tokens, Zen 5, first token after 0.97 instead of 0.99 s and 64 tokens after 1.39 instead of
   * 1.45 s (medians of nine starts in turns).
   */
  private final AtomicLong singles = new AtomicLong();

  private final Trials aheads;

  public TileProducts(WorkerPool pool) {
    this(pool, BEFORE_TRIALS);
  }

  /**
   * With trials of reading ahead.
   *
   * @param beforeTrials bytes of tiles of a kind before the first
   */
  TileProducts(WorkerPool pool, long beforeTrials) {
    this.pool = pool;
    this.aheads = new Trials(TileType.values().length * ROW_KINDS * Long.SIZE, beforeTrials);
  }

  /** {@link Kernels#expectRows}. */
  public void expectRows(int rows) {
    singles.set(rows > SHORT ? 0 : WORTH);
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
    int all = tiles;
    if (call.m() > 1 && singles.get() > 0) {
      long work = (long) call.m() * call.k() * LANES * tiles;
      singles.addAndGet(call.m() > SHORT ? -WORTH : -work);
    }
    int twos = Math.ceilDiv(call.m(), GroupSums.ROWS);
    if (twos >= LEAST_PAIRS * pool.threads()) {
      pool.range(
          twos, 1, (from, to) -> share(call, from * GroupSums.ROWS, to * GroupSums.ROWS, all));
      return;
    }
    int grain = Split.grain((long) call.m() * call.k() * LANES, GRAIN);
    pool.range(tiles, grain, (from, to) -> run(call, 0, call.m(), from, to));
  }

  /** Rows {@code [from, to)} with all tiles, as many rows at a time as caches hold. */
  private void share(MatrixCall.TiledLinears call, int from, int to, int tiles) {
    int last = Math.min(to, call.m());
    int most = (int) Math.max(1, ROWS_BYTES / (GroupSums.ROWS * 4L * call.k())) * GroupSums.ROWS;
    for (int i = from; i < last; i += most) {
      run(call, i, Math.min(most, last - i), 0, tiles);
    }
  }

  /** Fails unless the tiles are of these kernels. */
  public static void checkLanes(TiledWeight w) {
    if (w.lanes() != LANES) {
      throw new IllegalArgumentException(
          "weight is in tiles of %d rows, the %s kernels read tiles of %d; make them with the kernel set that reads them"
              .formatted(w.lanes(), Width.name(), LANES));
    }
  }

  /**
   * Rows from {@code i} on, {@code m} of them, with tiles {@code [from, to)} of all weights,
   * counted through.
   */
  private void run(MatrixCall.TiledLinears call, int i, int m, int from, int to) {
    long roundedBytes = 0;
    long sumsBytes = 0;
    for (TileForm form : FORMS) { // weights of several forms share the scratch
      roundedBytes = Math.max(roundedBytes, RowRounding.bytes(form, m, call.k()));
      sumsBytes = Math.max(sumsBytes, GROUP_BYTES * (call.k() / form.group()));
    }
    long rounded = scratch.floats((roundedBytes + EDGE_BYTES + sumsBytes) / 4);
    long edge = rounded + roundedBytes;
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
          RowRounding.run(form, call.x().address() + 4L * i * call.k(), m, call.k(), rounded);
          done = form;
        }
        product(p, i, m, begin, end, rounded, edge);
      }
      first += count;
    }
  }

  /**
   * Rows from {@code first} on, {@code m} of them, rounded at {@code x}, with tiles {@code [begin,
   * end)}.
   */
  private void product(TiledProjection p, int first, int m, int begin, int end, long x, long edge) {
    TiledWeight w = p.w();
    TileForm form = w.type().form();
    int most = rows(form);
    int whole = Math.min(end, w.n() / LANES);
    long sums = edge + EDGE_BYTES;
    long yRow = 4L * w.n();
    long y = p.y().address() + first * yRow;
    if (begin < whole) {
      Stretch stretch = new Stretch(w, x, m, most, sums, y, yRow);
      if (m > MOST_AHEAD) {
        stretch.run(begin, whole, false);
      } else {
        aheads.of(kind(w, m)).run(stretch, begin, whole, w.tileBytes(), LEAST_TRIED);
      }
    }
    int rest = w.n() % LANES;
    if (end > w.n() / LANES) {
      for (int i = 0; i < m; ) {
        int rows = Math.min(most, m - i);
        new Pass(w, x, i, rows, sums).run(end - 1, 1, edge, TILE_OF_Y);
        for (int r = 0; r < rows; r++) {
          long to = y + (i + r) * yRow + TILE_OF_Y * (end - 1);
          MemorySegment.copy(Memory.MEMORY, edge + TILE_OF_Y * r, Memory.MEMORY, to, 4L * rest);
        }
        i += rows;
      }
    }
    if (p.bias() != null) {
      int last = Math.min(end * LANES, w.n());
      for (int i = 0; i < m; i++) {
        addBias(p.bias().address(), y + i * yRow, begin * LANES, last);
      }
    }
  }

  /**
   * What decides whether tiles are read ahead: their type, their size and the number of rows. A
   * kernel does much arithmetic for each line of memory, so the processor sees few of the next ones
   * coming, and at the scales of a tile it starts anew: reading in order first helps. But then
   * memory waits while the kernel computes. One row, ps per byte without and with it: 1B in Q4_K on
   * a Xeon that reads 30 GB/s 141 and 205; SmolLM2 in Q4_1 there 129 and 150, on a Zen 5 that reads
   * 77 GB/s 3.4 and 2.7 ms a token. The log has other types.
   */
  private static int kind(TiledWeight w, int m) {
    int rows = Trials.digits(m - 1L); // 1, 2, up to 4, 8, 16
    return (w.type().ordinal() * ROW_KINDS + rows) * Long.SIZE + Trials.digits(w.tileBytes());
  }

  /** Rows of x that a kernel reads at most. */
  private int rows(TileForm form) {
    if (!form.rounds()) {
      return ByteProducts.ROWS;
    }
    return singles.get() > 0 ? 1 : GroupSums.ROWS;
  }

  /**
   * All rows of x with successive tiles of a weight.
   *
   * @param x address of the rounded rows
   * @param m how many there are
   * @param most rows that a kernel reads at a time
   * @param sums address of room for the sums
   * @param y address of the products with the first tile of the weight
   * @param yRow bytes from those of one row of x to those of the next
   */
  private record Stretch(TiledWeight w, long x, int m, int most, long sums, long y, long yRow)
      implements Trials.Way {

    /** Tiles {@code [begin, end)}, read ahead or not. */
    @Override
    public void run(int begin, int end, boolean ahead) {
      int chunk = m <= most && !ahead ? end - begin : chunk(w);
      for (int t = begin; t < end; t += chunk) {
        int tiles = Math.min(chunk, end - t);
        if (ahead) {
          ReadAhead.run(w.values().address() + t * w.tileBytes(), tiles * w.tileBytes(), sums);
        }
        for (int i = 0; i < m; i += most) {
          new Pass(w, x, i, Math.min(most, m - i), sums)
              .run(t, tiles, y + i * yRow + TILE_OF_Y * t, yRow);
        }
      }
    }
  }

  /** Tiles that are read more than once, a multiple of what a kernel reads at a time. */
  private static int chunk(TiledWeight w) {
    int tiles = (int) (CHUNK_BYTES / w.tileBytes());
    if (tiles >= CHUNK_MULTIPLE) {
      return (tiles + CHUNK_MULTIPLE / 2) / CHUNK_MULTIPLE * CHUNK_MULTIPLE;
    }
    int most = together(w.type().form(), 1, Integer.MAX_VALUE);
    return Math.max(1, tiles / most) * most;
  }

  /** Tiles that a kernel reads at a time, of {@code count} with so many rows of x. */
  private static int together(TileForm form, int rows, int count) {
    return form.rounds() ? GroupSums.tiles(rows, count) : ByteProducts.TILES;
  }

  /**
   * Rows {@code [i, i + rows)} with tiles: sums of all groups of some tiles, then their scaling.
   *
   * @param x address of the rounded rows
   * @param sums address of room for the sums
   */
  private record Pass(TiledWeight w, long x, int i, int rows, long sums) {

    /** Tiles {@code [t, t + tiles)}; {@code y} is that of the first. */
    void run(int t, int tiles, long y, long yRow) {
      TileForm form = w.type().form();
      int together = together(form, rows, tiles);
      int threes = form.rounds() ? GroupSums.threes(rows, tiles) : 0;
      int begin = 3 * threes;
      int part = (tiles - begin) / together;
      farApart(t, 0, threes, 3, y, yRow);
      farApart(t, begin, part, together, y, yRow);
      int left = tiles - begin - part * together;
      if (left > 0 && tiles >= together) {
        tiles(t, tiles - together, 1, together, y, yRow); // some of them again
      } else {
        for (int one = 0; one < left; one++) {
          tiles(t, one, 0, together, y, yRow);
        }
      }
    }

    /** {@code apart} times {@code together} tiles, the first of which is {@code t + begin}. */
    private void farApart(int t, int begin, int apart, int together, long y, long yRow) {
      for (int far = 0; far < apart; far++) {
        tiles(t, begin + far, apart, together, y, yRow);
      }
    }

    /** Tiles {@code t + first}, and each {@code apart} after it. */
    private void tiles(int t, int first, int apart, int together, long y, long yRow) {
      TileType type = w.type();
      TileForm form = type.form();
      long xRow = RowRounding.rowBytes(form, w.k());
      long rounded = x + i * xRow;
      long tileBytes = w.tileBytes();
      long tile = w.values().address() + (t + first) * tileBytes;
      int groups = w.k() / form.group();
      if (!form.rounds()) {
        ByteProducts.of(type)
            .forRows(rows)
            .run(
                rounded,
                xRow,
                tile,
                apart * tileBytes,
                w.wordBytes(),
                y + TILE_OF_Y * first,
                apart * TILE_OF_Y,
                yRow,
                groups / type.groups());
        return;
      }
      long scales = tile + w.wordBytes();
      GroupSums.of(form)
          .kernel(rows, together)
          .run(rounded, xRow, tile, apart * tileBytes, sums, groups);
      GroupScaling.Kernel scaling = GroupScaling.of(type).forRows(rows);
      int distinct = apart == 0 ? 1 : together;
      for (int p = 0; p < distinct; p++) {
        scaling.run(
            rounded,
            xRow,
            scales + p * apart * tileBytes,
            sums + VECTOR * p * rows,
            together * rows * VECTOR,
            y + TILE_OF_Y * (first + p * apart),
            yRow,
            groups / type.groups());
      }
    }
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
