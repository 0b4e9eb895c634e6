package dev.sortie.tensor.kernel.simd;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.kernel.Operands;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;
import dev.sortie.tensor.memory.Span;

/** Rows of a table taken and added to by id. */
final class Embedding {
  private Embedding() {}

  /** {@code y[r,:] = table[ids[r],:]}, widened to F32. */
  static void gather(WorkerPool pool, Span table, Span ids, long y, int rows, int cols) {
    int[] id = checked(table, ids, rows, cols);
    long base = table.address();
    long bytes = table.dtype().bytes(cols);
    pool.range(
        rows,
        Split.grain(cols),
        (from, to) -> {
          for (int r = from; r < to; r++) {
            Conversions.widen(table.dtype(), base + id[r] * bytes, y + 4L * r * cols, cols);
          }
        });
  }

  /**
   * {@code table[ids[r],:] += dy[r,:]} in the order of r: threads share the columns, not the rows.
   */
  static void scatterAdd(WorkerPool pool, long dy, Span ids, Span table, int rows, int cols) {
    int[] id = checked(table, ids, rows, cols);
    long base = table.address();
    Split.columns(
        pool,
        cols,
        rows,
        (from, to) -> {
          for (int r = 0; r < rows; r++) {
            long at = base + 4 * ((long) id[r] * cols + from);
            Elementwise.add(dy + 4 * ((long) r * cols + from), at, at, to - from);
          }
        });
  }

  /** All ids, checked before anything is written. */
  private static int[] checked(Span table, Span ids, int rows, int cols) {
    int limit = Operands.tableRows("embedding table", table, cols);
    int[] id = new int[rows];
    for (int r = 0; r < rows; r++) {
      id[r] = Operands.id("ids", ids, r, limit);
    }
    return id;
  }
}
