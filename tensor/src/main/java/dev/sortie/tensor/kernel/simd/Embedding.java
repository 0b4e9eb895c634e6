package dev.sortie.tensor.kernel.simd;

import static dev.sortie.tensor.kernel.simd.vector.Memory.MEMORY;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.sortie.tensor.concurrent.WorkerPool;
import dev.sortie.tensor.dtype.DType;
import dev.sortie.tensor.kernel.MatrixCall;
import dev.sortie.tensor.kernel.simd.convert.Conversions;
import dev.sortie.tensor.kernel.simd.vector.Elementwise;
import dev.sortie.tensor.kernel.simd.vector.Split;

/** Rows of a table taken and added to by id. */
final class Embedding {
  private Embedding() {}

  /** {@code y[r,:] = table[ids[r],:]}, widened to F32. */
  static void gather(WorkerPool pool, MatrixCall.GatherRows call) {
    int cols = call.cols();
    DType type = call.table().dtype();
    long table = call.table().address();
    long ids = call.ids().address();
    long y = call.y().address();
    long bytes = type.bytes(cols);
    pool.range(
        call.rows(),
        Split.grain(cols),
        (from, to) -> {
          for (int r = from; r < to; r++) {
            Conversions.widen(type, table + id(ids, r) * bytes, y + 4L * r * cols, cols);
          }
        });
  }

  /**
   * {@code table[ids[r],:] += dy[r,:]} in the order of r: threads share the columns, not the rows.
   */
  static void scatterAdd(WorkerPool pool, MatrixCall.ScatterAddRows call) {
    int rows = call.rows();
    int cols = call.cols();
    long dy = call.dy().address();
    long ids = call.ids().address();
    long table = call.table().address();
    Split.columns(
        pool,
        cols,
        rows,
        (from, to) -> {
          for (int r = 0; r < rows; r++) {
            long at = table + 4 * (id(ids, r) * cols + from);
            Elementwise.add(dy + 4 * ((long) r * cols + from), at, at, to - from);
          }
        });
  }

  private static long id(long ids, int r) {
    return MEMORY.get(JAVA_INT_UNALIGNED, ids + 4L * r);
  }
}
