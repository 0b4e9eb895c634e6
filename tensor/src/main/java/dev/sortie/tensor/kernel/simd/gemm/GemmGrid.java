package dev.sortie.tensor.kernel.simd.gemm;

/**
 * The rectangle of the result that a thread computes: rows {@code [rowFrom, rowTo)}, columns {@code
 * [columnFrom, columnTo)}, cut between tiles. It may be empty.
 */
record GemmGrid(int rowFrom, int rowTo, int columnFrom, int columnTo) {
  /**
   * What packing a panel costs, in quarters of a tile, at some half a cycle an element (Zen 4): a
   * panel of B as much as computing a tile, one of A a quarter.
   */
  private static final int PACK_B = 4;

  private static final int PACK_A = 1;
  private static final int TILE = 4;

  /** The part {@code thread} of {@code threads}. */
  static GemmGrid of(Gemm.Product p, int thread, int threads) {
    int rowPanels = Gemm.panels(p.m(), Gemm.MR);
    int columnPanels = Gemm.panels(p.n(), Gemm.NR);
    int columns = columns(rowPanels, columnPanels, p.packed(), threads);
    int rows = threads / columns;
    int x = thread % columns;
    int y = thread / columns;
    if (y >= rows) {
      return new GemmGrid(0, 0, 0, 0); // a prime number of threads, say
    }
    return new GemmGrid(
        part(rowPanels, y, rows) * Gemm.MR,
        Math.min(p.m(), part(rowPanels, y + 1, rows) * Gemm.MR),
        part(columnPanels, x, columns) * Gemm.NR,
        Math.min(p.n(), part(columnPanels, x + 1, columns) * Gemm.NR));
  }

  /** Columns of the grid of threads for which the largest rectangle costs least. */
  static int columns(int rowPanels, int columnPanels, boolean packed, int threads) {
    int best = 1;
    long least = Long.MAX_VALUE;
    for (int columns = 1; columns <= threads; columns++) {
      long x = Gemm.panels(columnPanels, columns);
      long y = Gemm.panels(rowPanels, threads / columns);
      long cost = TILE * x * y + PACK_A * y + (packed ? 0 : PACK_B * x);
      if (cost <= least) {
        least = cost;
        best = columns;
      }
    }
    return best;
  }

  private static int part(int count, int index, int parts) {
    return (int) ((long) count * index / parts);
  }
}
